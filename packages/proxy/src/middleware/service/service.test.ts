import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { sandboxId } from '@openshell/base';
import type { Middleware } from '@openshell/policy';
import { type Limits, limitsWith } from '../../limits.ts';
import { identityFor } from '../../test-support/identities.ts';
import { SigningAuthority } from '../../tls/authority.ts';
import { MiddlewareRegistry } from '../registry.ts';
import type { MiddlewareFinding, MiddlewareRequest, MiddlewareVerdict } from '../verdict.ts';

// Another implementation of gRPC, which reads the .proto file itself: what is generated here must agree with it.
const PROTO = fileURLToPath(
  new URL('../../../../../proto/openshell/middleware/v1/middleware.proto', import.meta.url),
);
const { 'openshell.middleware.v1.SupervisorMiddleware': definition } = loadSync(PROTO, {
  keepCase: true,
  oneofs: true,
});

interface Answers {
  readonly describe?: object;
  readonly problems?: readonly string[];
  /** Undefined: no answer ever comes. */
  readonly evaluate: (request: Received) => object | Error | undefined;
}

interface Received {
  readonly context: { readonly sandbox: string; readonly binary: string; readonly middleware: string };
  readonly config: { readonly fields: Record<string, { readonly stringValue: string }> };
  readonly method: string;
  readonly target: string;
  readonly port: number;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  readonly body?: Buffer;
}

type Handler = grpc.handleUnaryCall<Received, object>;

interface ServeOptions {
  readonly address?: string;
  readonly credentials?: grpc.ServerCredentials;
}

async function serve(t: TestContext, answers: Answers, options: ServeOptions = {}): Promise<number> {
  return (await started(t, answers, options)).port;
}

async function started(t: TestContext, answers: Answers, options: ServeOptions) {
  const { address = '127.0.0.1:0', credentials = grpc.ServerCredentials.createInsecure() } = options;
  const server = new grpc.Server();
  const describe: Handler = (_, callback) =>
    callback(null, answers.describe ?? { name: 'test', wants_request_body: true });
  const validate: Handler = (_, callback) => callback(null, { problems: answers.problems ?? [] });
  const evaluate: Handler = ({ request }, callback) => {
    const answer = answers.evaluate(request);
    if (answer instanceof Error) callback({ code: grpc.status.INTERNAL, details: answer.message });
    else if (answer !== undefined) callback(null, answer);
  };
  server.addService(definition as grpc.ServiceDefinition, {
    Describe: describe,
    ValidateConfig: validate,
    EvaluateHttpRequest: evaluate,
  });
  t.after(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port))),
  );
  return { port, stop: () => server.forceShutdown() };
}

const MIDDLEWARE: Middleware = {
  key: 'dlp',
  name: 'dlp',
  middleware: 'acme/dlp',
  order: 0,
  config: { level: 'high' },
  onError: 'fail_closed',
  include: ['**'],
  exclude: [],
};

const request = (body?: Buffer): MiddlewareRequest => ({
  method: 'POST',
  scheme: 'https',
  host: 'api.example.com',
  port: 443,
  target: '/x?y=1',
  fields: [
    { name: 'Accept', lowerName: 'accept', value: '*/*' },
    { name: 'Authorization', lowerName: 'authorization', value: 'Bearer hidden' },
  ],
  body: body === undefined ? { kind: 'none' } : { kind: 'whole', bytes: body },
  sandbox: sandboxId('box'),
  binary: '/usr/bin/curl',
});

interface Asked {
  readonly url: string;
  readonly body?: Buffer;
  readonly ca?: string;
  readonly timeoutMs?: number;
  readonly limits?: Partial<Limits>;
}

async function ask(asked: Asked): Promise<{ verdict: MiddlewareVerdict; findings: MiddlewareFinding[] }> {
  const { url, ca, timeoutMs = 5000 } = asked;
  const limits = limitsWith({ middlewareConnectTime: 1000, ...asked.limits });
  using registry = new MiddlewareRegistry({
    services: [{ name: 'acme/dlp', url, timeoutMs, ...(ca !== undefined && { ca }) }],
    limits,
  });
  const prepared = await registry.prepare([MIDDLEWARE]);
  const findings: MiddlewareFinding[] = [];
  const verdict = await prepared.stagesFor([MIDDLEWARE])!.evaluateRequest(request(asked.body), {
    signal: new AbortController().signal,
    onFinding: (finding) => findings.push(finding),
  });
  return { verdict, findings };
}

const at = (port: number): string => `http://127.0.0.1:${port}`;

test('a service sees the request without its credentials, and may change it', async (t) => {
  const received: Received[] = [];
  const port = await serve(t, {
    evaluate: (one) => {
      received.push(one);
      return {
        allow: {
          set_fields: [{ name: 'X-OpenShell-Middleware-Level', value: 'high' }],
          remove_fields: ['accept'],
          body: Buffer.from('changed'),
        },
        findings: [{ code: 'pii', message: 'A name was removed.', severity: 'loud' }],
      };
    },
  });
  const { verdict, findings } = await ask({ url: at(port), body: Buffer.from('hello') });
  const [seen] = received;
  assert.deepEqual(seen?.context, { sandbox: 'box', binary: '/usr/bin/curl', middleware: 'dlp' });
  assert.equal(seen?.config.fields.level?.stringValue, 'high');
  assert.deepEqual(
    [seen?.method, seen?.target, seen?.port, String(seen?.body)],
    ['POST', '/x?y=1', 443, 'hello'],
  );
  assert.deepEqual(seen?.fields, [{ name: 'accept', value: '*/*' }]);
  assert.ok(verdict.kind === 'continue');
  assert.deepEqual(
    verdict.fields.map(({ lowerName }) => lowerName),
    ['authorization', 'x-openshell-middleware-level'],
  );
  assert.equal(String(verdict.newBody), 'changed');
  assert.deepEqual(findings, [
    { code: 'pii', message: 'A name was removed.', severity: 'medium', count: 1, middleware: 'dlp' },
  ]);
});

test('a service that wants no body gets none', async (t) => {
  const bodies: unknown[] = [];
  const port = await serve(t, {
    describe: { wants_request_body: false },
    evaluate: ({ body }) => {
      bodies.push(body);
      return { allow: {} };
    },
  });
  const { verdict } = await ask({ url: at(port), body: Buffer.from('hello') });
  assert.equal(verdict.kind, 'continue');
  assert.deepEqual(
    bodies.map((body) => Buffer.isBuffer(body) && body.length > 0),
    [false],
  );
});

test('a refusal carries its reason code', async (t) => {
  const port = await serve(t, { evaluate: () => ({ deny: { reason_code: 'too_secret' } }) });
  const { verdict } = await ask({ url: at(port) });
  assert.ok(verdict.kind === 'denied' && verdict.reasonCode === 'too_secret');
});

test('an answer that is none, or beyond a bound, is a failure and changes nothing', async (t) => {
  const finding = { code: 'a', message: 'b' };
  const wrong: Record<string, object> = {
    'no decision': {},
    'a reason code with spaces': { deny: { reason_code: 'Because I say so' } },
    'a credential': { allow: { set_fields: [{ name: 'authorization', value: 'x' }] } },
    'too many fields': { allow: { remove_fields: new Array(65).fill('accept') } },
    'a large field': {
      allow: { set_fields: [{ name: 'x-openshell-middleware-a', value: 'a'.repeat(33_000) }] },
    },
    'a large body': { allow: { body: Buffer.alloc(1001) } },
    'a body out of nothing': { allow: { body: Buffer.alloc(1) } },
    'too many findings': { allow: {}, findings: new Array(33).fill(finding) },
    'a finding with a line break': { allow: {}, findings: [{ code: 'a', message: 'a\nb' }] },
    'a finding without a code': { allow: {}, findings: [{ message: 'a' }] },
    'a message beyond all bounds': { allow: { body: Buffer.alloc(300_000) } },
  };
  let answer: object = {};
  const port = await serve(t, { evaluate: () => answer });
  for (const [name, one] of Object.entries(wrong)) {
    answer = one;
    const { verdict, findings } = await ask({ url: at(port), limits: { middlewareBodyBytes: 1000 } });
    assert.equal(verdict.kind, 'failed', name);
    assert.deepEqual(findings, [], name);
  }
});

test('a service that is slow, fails or is not there is a failure, whose words go nowhere', async (t) => {
  const slow = await serve(t, { evaluate: () => undefined });
  const failing = await serve(t, { evaluate: () => new Error('secret=1') });
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port: gone } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const garbage = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n'));
  await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
  t.after(() => garbage.close());
  const { port: nonsense } = garbage.address() as { port: number };
  for (const port of [slow, failing, gone, nonsense]) {
    const { verdict } = await ask({ url: at(port), timeoutMs: port === slow ? 50 : 2000 });
    assert.ok(verdict.kind === 'failed' && verdict.status === 503);
    assert.equal(JSON.stringify(verdict).includes('secret'), false);
  }
});

test('a service that comes up later is used then', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'mw-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 's');
  const limits = limitsWith({ middlewareConnectTime: 200 });
  using registry = new MiddlewareRegistry({
    services: [{ name: 'acme/dlp', url: `unix:${path}`, timeoutMs: 5000 }],
    limits,
  });
  const stages = (await registry.prepare([MIDDLEWARE])).stagesFor([MIDDLEWARE])!;
  const options = { signal: new AbortController().signal, onFinding: () => undefined };
  assert.equal((await stages.evaluateRequest(request(), options)).kind, 'failed');
  await serve(t, { evaluate: () => ({ allow: {} }) }, { address: `unix:${path}` });
  assert.equal((await stages.evaluateRequest(request(), options)).kind, 'continue');
});

test('a service that is started again is found again', async (t) => {
  const answers: Answers = { evaluate: () => ({ allow: {} }) };
  const first = await started(t, answers, {});
  using registry = new MiddlewareRegistry({
    services: [{ name: 'acme/dlp', url: at(first.port), timeoutMs: 5000 }],
    limits: limitsWith(),
  });
  const stages = (await registry.prepare([MIDDLEWARE])).stagesFor([MIDDLEWARE])!;
  const options = { signal: new AbortController().signal, onFinding: () => undefined };
  assert.equal((await stages.evaluateRequest(request(), options)).kind, 'continue');
  first.stop();
  assert.equal((await stages.evaluateRequest(request(), options)).kind, 'failed');
  await serve(t, answers, { address: `127.0.0.1:${first.port}` });
  assert.equal((await stages.evaluateRequest(request(), options)).kind, 'continue');
});

test('over TLS the service has to be the one that the operator means', async (t) => {
  const [authority, stranger] = [SigningAuthority.create(), SigningAuthority.create()];
  const { cert, key } = identityFor(authority, '127.0.0.1');
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const credentials = grpc.ServerCredentials.createSsl(null, [pair]);
  const port = await serve(t, { evaluate: () => ({ allow: {} }) }, { credentials });
  const url = `https://127.0.0.1:${port}`;
  assert.equal((await ask({ url, ca: authority.certificatePem })).verdict.kind, 'continue');
  assert.equal((await ask({ url, ca: stranger.certificatePem })).verdict.kind, 'failed');
  assert.equal((await ask({ url })).verdict.kind, 'failed');
});

test('a configuration that the service refuses makes the policy fail', async (t) => {
  const port = await serve(t, { problems: ['level must be\nlow'], evaluate: () => ({ allow: {} }) });
  await assert.rejects(ask({ url: at(port) }), {
    code: 'bad_middleware_config',
    message: 'network_middlewares.dlp.config: acme/dlp refuses it: level must be low',
  });
});

test('a configuration beyond its bound makes the policy fail', async () => {
  const limits = { middlewareConfigBytes: 4 };
  await assert.rejects(ask({ url: 'http://127.0.0.1:1', limits }), { code: 'bad_middleware_config' });
});

test('a registration that cannot be meant is refused', () => {
  const services = [
    { url: 'ftp://a' },
    { url: 'http://a/path' },
    { url: 'http://user:password@a' },
    { url: 'unix:relative' },
    { url: 'http://a', timeoutMs: 9 },
    { url: 'http://a', timeoutMs: 30_001 },
  ];
  for (const service of services)
    assert.throws(
      () => new MiddlewareRegistry({ services: [{ name: 'a', ...service }], limits: limitsWith() }),
      (error: Error & { code?: string }) =>
        error.code === 'bad_middleware_service' && !error.message.includes('password'),
    );
});
