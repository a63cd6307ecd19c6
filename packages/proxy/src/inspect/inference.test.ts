import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { generation } from '@openshell/base';
import { compilePolicy, type IdentityMode, parsePolicy } from '@openshell/policy';
import { SourcePool } from '../credentials/source-pool.ts';
import { RouteTable } from '../inference/route-table.ts';
import type { InferenceRoute } from '../inference/routes.ts';
import { limitsWith } from '../limits.ts';
import { policyAlone, type TenantSettings } from '../tenant/settings.ts';
import { lookup } from '../test-support/dns-client.ts';
import { Fixture, type FixtureOptions, LOOPBACK, portOf } from '../test-support/fixture.ts';
import { fieldOf, statusOf, Wire } from '../test-support/wire.ts';
import type { FinishedSpan } from '../tracing/span.ts';
import { KeptSpans } from '../tracing/test-support/kept-spans.ts';

const HOST = 'inference.local';
const KEY = 'sk-operators-own-key-0123456789';
const CHAT = {
  id: '1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' } }],
  usage: { prompt_tokens: 3, completion_tokens: 4 },
};
const MESSAGE = {
  id: '1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'hello' }],
  usage: { input_tokens: 1, output_tokens: 2 },
};

/** What runs in a sandbox: the two clients as they are, told of the proxy and of the authority by their environment alone. */
const PROGRAM = `
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
const openai = new OpenAI({ baseURL: 'https://inference.local/v1', apiKey: 'of-the-workload', maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: 'https://inference.local', apiKey: 'of-the-workload', maxRetries: 0 });
const messages = [{ role: 'user', content: 'hi' }];
const chat = await openai.chat.completions.create({ model: 'gpt', messages });
let streamed = '';
for await (const part of await openai.chat.completions.create({ model: 'gpt', messages, stream: true })) streamed += part.choices[0].delta.content;
const message = await anthropic.messages.create({ model: 'claude', max_tokens: 9, messages });
const unknown = await openai.chat.completions.create({ model: 'other', messages }).catch((error) => [error.status, error.code]);
console.log(JSON.stringify([chat.choices[0].message.content, streamed, message.content[0].text, unknown]));
`;

describe('inference.local', () => {
  const sent: { url: string; headers: IncomingMessage['headers'] }[] = [];
  const backend = createServer((request, response) => {
    sent.push({ url: request.url!, headers: request.headers });
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      if (!body.includes('"stream":true')) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(request.url === '/v1/messages' ? MESSAGE : CHAT));
        return;
      }
      response.setHeader('content-type', 'text/event-stream');
      const part = { id: '1', choices: [{ index: 0, delta: { content: 'hello' } }] };
      response.end(`data: ${JSON.stringify(part)}\n\ndata: [DONE]\n\n`);
    });
  });
  before(() => once(backend.listen(0, LOOPBACK), 'listening'));
  after(() => {
    backend.closeAllConnections();
    backend.close();
  });

  /** With a backend, under a policy that says nothing of it. */
  function settings(identity: IdentityMode = 'required', number = 1): TenantSettings {
    const parsed = parsePolicy('version: 1');
    assert.ok(parsed.ok);
    const route = (name: string, rest: Partial<InferenceRoute>): InferenceRoute => ({
      ...{
        name,
        models: [name],
        protocols: ['openai_chat_completions'],
        baseUrl: `http://${LOOPBACK}:${portOf(backend)}`,
      },
      ...{ auth: { kind: 'bearer', credential: { kind: 'env', variable: 'KEY' } } },
      ...rest,
    });
    const transport = () => Promise.reject(new Error('no token is needed'));
    const sources = new SourcePool({ environment: { KEY }, transport, now: Date.now });
    const claude = route('claude', {
      protocols: ['anthropic_messages'],
      auth: { kind: 'x-api-key', credential: { kind: 'env', variable: 'KEY' } },
    });
    return {
      ...policyAlone(compilePolicy(parsed.policy, generation(number), { identity })),
      inference: new RouteTable([route('gpt', {}), claude], sources, limitsWith()),
    };
  }

  const start = (options: Partial<FixtureOptions> = {}): Promise<Fixture> =>
    Fixture.start({ allow: [], settings: settings(), ...options });

  /** TLS over a tunnel or a captured connection. */
  async function secured(fixture: Fixture, how: 'connect' | 'captured' = 'connect'): Promise<Wire> {
    if (how === 'captured') fixture.captured = { address: await lookup(fixture, HOST), port: 443 };
    const socket = how === 'connect' ? await fixture.tunnel(`${HOST}:443`) : await fixture.capturedClient();
    const ca = (await fixture.proxy.authority()).bundlePem;
    const tls = connectTls({ socket, servername: HOST, ca, ALPNProtocols: ['http/1.1'] });
    await once(tls, 'secureConnect');
    return new Wire(tls);
  }

  const ask = (wire: Wire, host = HOST): Promise<Awaited<ReturnType<Wire['response']>>> => {
    wire.send(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return wire.response();
  };
  const bodyOf = ({ body }: { body: string }) => JSON.parse(body) as Record<string, unknown>;

  test('is all that the OpenAI and Anthropic clients need to know, and the key is not', async (t) => {
    await using fixture = await start();
    const directory = mkdtempSync(join(tmpdir(), 'openshell-inference-'));
    t.after(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'ca.pem'), (await fixture.proxy.authority()).bundlePem);
    const env = {
      ...{ HTTPS_PROXY: `http://${LOOPBACK}:${portOf(fixture.servers.connect)}`, NODE_USE_ENV_PROXY: '1' },
      NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
    };
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(
      process.execPath,
      ['--input-type=module', '-e', PROGRAM],
      { env, cwd: import.meta.dirname },
      (_, out, err) => resolve(out + err),
    );
    assert.deepEqual(JSON.parse(await promise), ['hello', 'hello', 'hello', [400, 'model_not_found']]);
    assert.deepEqual(
      sent.splice(0).map(({ url, headers }) => [url, headers.authorization ?? headers['x-api-key']]),
      [
        ['/v1/chat/completions', `Bearer ${KEY}`],
        ['/v1/chat/completions', `Bearer ${KEY}`],
        ['/v1/messages', KEY],
      ],
    );
    await fixture.tenant.close();
    const events = fixture.sink.events.filter(({ class_uid }) => class_uid === 4002);
    assert.deepEqual(
      events.map(({ unmapped }) => [unmapped?.route, unmapped?.model, unmapped?.tokens]),
      [
        ['gpt', 'gpt', { input: 3, output: 4 }],
        ['gpt', 'gpt', undefined],
        ['claude', 'claude', { input: 1, output: 2 }],
        [undefined, 'other', undefined],
      ],
    );
    assert.doesNotMatch(
      JSON.stringify([fixture.sink.events, fixture.refusals]),
      /operators-own-key|of-the-workload/,
    );
  });

  test('has an address for a captured program, which gets the trace of its request', async () => {
    await using fixture = await start();
    const response = await ask(await secured(fixture, 'captured'));
    assert.deepEqual(
      (bodyOf(response).data as { id: string }[]).map(({ id }) => id),
      ['gpt', 'claude'],
    );
    const event = fixture.sink.events.find(({ class_uid }) => class_uid === 4002);
    assert.equal(
      (event as { trace?: { uid: string } } | undefined)?.trace?.uid,
      fieldOf(response, 'x-openshell-trace-id'),
    );
  });

  test('passes a trace on to its backend only where the operator wants that, and shows it without what is asked', async () => {
    const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const header of ['off', 'forward'] as const) {
      const spans = new KeptSpans();
      await using fixture = await start({ tracing: { header, spans } });
      const wire = await secured(fixture);
      const content = JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content: 'secret' }] });
      wire.send(
        `POST /v1/chat/completions?secret HTTP/1.1\r\nHost: ${HOST}\r\ntraceparent: ${given}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${content.length}\r\n\r\n${content}`,
      );
      assert.equal(statusOf(await wire.response()), 200);
      const [backend, request] = (await spans.atLeast(2)) as [FinishedSpan, FinishedSpan];
      assert.deepEqual([request.name, request.parentId], ['POST', 'b7ad6b7169203331']);
      assert.deepEqual([backend.kind, backend.parentId], ['client', request.spanId]);
      const told = header === 'off' ? undefined : `00-${request.traceId}-${backend.spanId}-01`;
      assert.equal(sent.splice(0)[0]?.headers.traceparent, told);
      assert.equal(request.attributes['gen_ai.usage.output_tokens'], 4);
      assert.equal(request.attributes['url.path'], '/v1/chat/completions');
      assert.doesNotMatch(JSON.stringify(spans.all), /secret|operators-own-key/);
    }
  });

  test('answers without a backend that there is none, and has no address', async () => {
    await using fixture = await start({ settings: policyAlone(settings().engine) });
    const response = await ask(await secured(fixture));
    assert.equal(statusOf(response), 503);
    assert.equal(bodyOf(response).error, 'inference_not_configured');
    await assert.rejects(lookup(fixture, HOST));
  });

  test('is for known programs, unless the operator does not tell them apart', async () => {
    const evidence = { identify: async () => ({ kind: 'unknown', reason: 'test' }) as const };
    await using strict = await start({ evidence });
    const refused = await ask(await secured(strict));
    assert.deepEqual([statusOf(refused), bodyOf(refused).code], [403, 'identity_unknown']);
    assert.equal(strict.refusals[0]?.code, 'policy_denied');
    await using relaxed = await start({ evidence, settings: settings('not-required') });
    assert.equal(statusOf(await ask(await secured(relaxed))), 200);
  });

  test('changes with the generation, also on a connection that is open', async () => {
    await using fixture = await start();
    const wire = await secured(fixture);
    assert.equal(statusOf(await ask(wire)), 200);
    fixture.tenant.apply(policyAlone(settings('required', 2).engine));
    assert.equal(statusOf(await ask(wire)), 503);
    fixture.tenant.apply(settings('required', 3));
    assert.equal(statusOf(await ask(wire)), 200);
  });

  test('is no other host, whatever a request calls itself', async () => {
    await using fixture = await start();
    const wire = await secured(fixture);
    const response = await ask(wire, 'api.example');
    assert.deepEqual([statusOf(response), bodyOf(response).error], [403, 'request_authority_mismatch']);
    const socket = await fixture.tunnel(`${HOST}:443`);
    const tls = connectTls({ socket, servername: 'other.example', rejectUnauthorized: false });
    const [error] = (await once(tls, 'error')) as [NodeJS.ErrnoException];
    assert.match(String(error.code), /ALERT_ACCESS_DENIED/);
  });

  const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const plain: [string, (fixture: Fixture) => Promise<Wire>][] = [
    ['to the proxy', async (fixture) => new Wire(await fixture.client())],
    ['in a tunnel', async (fixture) => new Wire(await fixture.tunnel(`${HOST}:443`))],
    [
      'captured',
      async (fixture) => {
        fixture.captured = { address: await lookup(fixture, HOST), port: 80 };
        return new Wire(await fixture.capturedClient());
      },
    ],
  ];
  for (const [how, connect] of plain)
    test(`is not served in plain text, ${how}`, async () => {
      await using fixture = await start();
      const wire = await connect(fixture);
      wire.send(how === 'to the proxy' ? GET.replace('/', `http://${HOST}/`) : GET);
      const response = await wire.response();
      assert.deepEqual([statusOf(response), bodyOf(response).error], [403, 'inference_https_only']);
      assert.match(String(bodyOf(response).remedy), /https:\/\/inference\.local/);
    });

  test('is not at another port', async () => {
    await using fixture = await start();
    const answer = await fixture.ask(`CONNECT ${HOST}:80 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 403 .*"error":"inference_https_only"/s);
  });
});
