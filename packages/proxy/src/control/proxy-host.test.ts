import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { SecurityEvent } from '@openshell/audit';
import { type SandboxId, sandboxId } from '@openshell/base';
import {
  type ControlEvent,
  ControlRefusal,
  type ControlSession,
  type GenerationParts,
  PROTOCOL,
  type TenantSpec,
} from '@openshell/control';
import { LinkDirectory } from '../link/index.ts';
import { EgressProxy } from '../proxy.ts';
import { AuthorityRing } from '../tls/authority-ring.ts';
import { type HostFixture, hostOf, trustNobody } from './testing/host.ts';

const A = sandboxId('tenant-a');
const B = sandboxId('tenant-b');

const spec = (id: SandboxId): TenantSpec => ({
  id,
  recognitions: [{ kind: 'credentials', username: id, passwordSha256: 'ab'.repeat(32) }],
  identity: 'not-required',
});

const named = (name: string, text: string) => ({ kind: 'text', name, text }) as const;

const policyFor = (endpoint: string) =>
  named('policy.yaml', `version: 1\nnetwork_policies:\n  a:\n    endpoints:\n      - { ${endpoint} }\n`);

const secrets = (revision: string, values: Readonly<Record<string, string>>) =>
  ({ kind: 'values', revision, values: new Map(Object.entries(values)) }) as const;

const control = (
  { host }: HostFixture,
  { sources = 'pushed', signal }: { sources?: 'host' | 'pushed'; signal?: AbortSignal } = {},
): Promise<ControlSession> =>
  host
    .control({ sources, name: 'test' })
    .connect({ name: 'gateway', protocol: PROTOCOL, role: 'controller' }, signal ? { signal } : {});

/** Answers what it is sent, on loopback. */
async function echo(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

const overridesTo = (port: number, ...names: string[]) =>
  names.map((name) => ({ name, address: '127.0.0.1', toPort: port }));

/** A tunnel that is open, or what the proxy has answered. */
async function tunnel({ doors }: HostFixture, tenant: SandboxId, authority: string): Promise<Socket> {
  const socket = doors.connect(tenant);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  assert.match(`${answer}`, /^HTTP\/1\.1 200 /);
  return socket;
}

/** However it ends: a revoked connection is reset. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((done) => socket.once('close', () => done()));
}

const roundTrip = async (socket: Socket, text: string): Promise<string> => {
  socket.write(text);
  const [back] = await once(socket, 'data');
  return `${back}`;
};

const refusal = async (call: Promise<unknown>): Promise<ControlRefusal> => {
  const thrown = await call.then(
    () => assert.fail('was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof ControlRefusal, `${thrown}`);
  return thrown;
};

const states = ({ events }: HostFixture): string[] =>
  events.flatMap((event) => ('state' in event ? [event.state] : []));

describe('a proxy that is steered', () => {
  test('denies everything at first, passes what is applied, and keeps that when the next is bad', async () => {
    await using origin = await echo();
    await using fixture = await hostOf({}, overridesTo(origin.port, 'docs.test', 'other.test'));
    await using session = await control(fixture);
    await session.registerTenant(spec(A));
    const first = await fixture.doors.ask(A, 'docs.test:443');
    assert.match(first, /^HTTP\/1\.1 403 /);
    assert.match(first, /no policy was installed yet/);
    const policy = policyFor('host: docs.test, port: 443, protocol: tcp');
    await session.apply({ tenant: A, parts: { policy }, mode: 'install' });
    const open = await tunnel(fixture, A, 'docs.test:443');
    assert.equal(await roundTrip(open, 'hello'), 'hello');
    const bad = policyFor('host: docs.test, port: 99999');
    await refusal(session.apply({ tenant: A, parts: { policy: bad }, mode: 'install' }));
    assert.equal(await roundTrip(open, 'still'), 'still');
    assert.match(await fixture.doors.ask(A, 'other.test:443'), /^HTTP\/1\.1 403 /);
    assert.deepEqual(states(fixture), ['controlled', 'loaded', 'retained_last_valid']);

    const other = policyFor('host: other.test, port: 443, protocol: tcp');
    const revoked = closed(open);
    const { installed } = await session.apply({ tenant: A, parts: { policy: other }, mode: 'install' });
    await revoked;
    assert.equal(installed.generation, 2);
    const last = await tunnel(fixture, A, 'other.test:443');
    const removed = closed(last);
    await session.removeTenant(A);
    await removed;
  });

  test('goes on as it was told when its controller is lost, and says so', async () => {
    await using origin = await echo();
    await using fixture = await hostOf({}, overridesTo(origin.port, 'docs.test'));
    const gone = new AbortController();
    const session = await control(fixture, { signal: gone.signal });
    await session.registerTenant(spec(A));
    const policy = policyFor('host: docs.test, port: 443, protocol: tcp');
    await session.apply({ tenant: A, parts: { policy }, mode: 'install' });
    gone.abort(new Error('the gateway was restarted'));
    await session.ended;
    const open = await tunnel(fixture, A, 'docs.test:443');
    assert.equal(await roundTrip(open, 'hello'), 'hello');
    open.destroy();
    await using again = await control(fixture);
    assert.deepEqual(
      again.hello.installed.map(({ tenant, generation }) => [tenant, generation]),
      [[A, 1]],
    );
    assert.ok(states(fixture).includes('controller_lost'), states(fixture).join());
  });

  test('says how long its authority lasts from the moment at which there is one', async () => {
    const made = AuthorityRing.inMemory();
    for (const authority of [made, () => made]) {
      const proxy = new EgressProxy({ overrides: [], authority });
      await using fixture = await hostOf({ proxy });
      if (authority !== made) {
        assert.equal(fixture.host.status().authorityNotAfter, undefined);
        await proxy.authority();
      }
      await proxy.authorityNeeded;
      assert.equal(fixture.host.status().authorityNotAfter, made.status().certificates[0]!.notAfter);
    }
  });

  test('drains: takes no new connections, lets the open ones end, and ends them after the bound', async () => {
    await using origin = await echo();
    await using fixture = await hostOf({}, overridesTo(origin.port, 'docs.test'));
    await using session = await control(fixture);
    const own = { kind: 'listener', host: '127.0.0.1', port: 0 } as const;
    const { listening } = await session.registerTenant({
      ...spec(A),
      recognitions: [own, ...spec(A).recognitions],
    });
    const policy = policyFor('host: docs.test, port: 443, protocol: tcp');
    await session.apply({ tenant: A, parts: { policy }, mode: 'install' });
    const open = await tunnel(fixture, A, 'docs.test:443');
    const drained = session.drain(60_000);
    const refused = connect(listening[0]!.port, '127.0.0.1');
    const [error] = await once(refused, 'error');
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    assert.equal(await roundTrip(open, 'still'), 'still');
    assert.equal((await session.status()).state, 'draining');
    const cutOff = closed(open);
    await session.drain(0);
    await cutOff;
    await drained;
    assert.equal(
      (await refusal(session.apply({ tenant: A, parts: { policy }, mode: 'install' }))).code,
      'proxy_draining',
    );
  });

  test('a tenant that cannot be made whole leaves nothing behind', async () => {
    await using busy = await echo();
    await using fixture = await hostOf();
    await using session = await control(fixture);
    const listener = (port: number) => ({ kind: 'listener', host: '127.0.0.1', port }) as const;
    const free = await session.registerTenant({ ...spec(A), recognitions: [listener(0)] });
    const { port } = free.listening[0]!;
    const cases: [TenantSpec['recognitions'], string][] = [
      [[listener(port)], 'listen_failed'],
      [[listener(0), listener(busy.port)], 'listen_failed'],
      [[{ kind: 'certificate', name: 'spiffe://test/node' }], 'tenant_invalid'],
    ];
    for (const [recognitions, code] of cases)
      assert.equal((await refusal(session.registerTenant({ ...spec(B), recognitions }))).code, code);
    await session.removeTenant(A);
    const taken = await session.registerTenant({ ...spec(B), recognitions: [listener(port)] });
    assert.deepEqual(taken.listening, [{ host: '127.0.0.1', port }]);
    const same = await refusal(session.registerTenant({ ...spec(A), recognitions: [listener(port)] }));
    assert.match(`${same.code} ${same.message}`, /recognition_taken .*tenant-b/);
  });
});

describe('what others are told by a proxy that is steered', () => {
  test('the link knows what is in force for tenants that nodes speak for, and no longer than they are there', async () => {
    const link = new LinkDirectory();
    const changes: string[] = [];
    await using fixture = await hostOf({ link });
    await using session = await control(fixture);
    const name = 'spiffe://test/node';
    link.watch(A, { changed: () => changes.push('changed'), refused: ({ code }) => changes.push(code) });
    await session.registerTenant({
      ...spec(A),
      recognitions: [{ kind: 'certificate', name }, ...spec(A).recognitions],
    });
    assert.equal(link.find(A, ['spiffe://test/another']), undefined);
    assert.equal(link.find(A, [name])?.installed, undefined);
    await fixture.doors.ask(A, 'docs.test:443');
    const policy = policyFor('host: docs.test, port: 443');
    const { installed, environment } = await session.apply({ tenant: A, parts: { policy }, mode: 'install' });
    const { generation, policyHash } = installed;
    assert.deepEqual(link.find(A, [name])?.installed, { generation, policyHash, environment });
    await session.rotateAuthority('prepare');
    await session.removeTenant(A);
    assert.equal(link.find(A, [name]), undefined);
    assert.deepEqual(changes, ['changed', 'no_policy', 'changed', 'changed', 'changed']);
  });

  test('a record without room is offered counts of denials again, and followers see everything once', async () => {
    let full = true;
    const kept: SecurityEvent[] = [];
    await using fixture = await hostOf({
      limits: { denialEvents: 0 },
      events: (event) => {
        if (full) return false;
        kept.push(event);
        return true;
      },
    });
    await using session = await control(fixture);
    await session.registerTenant(spec(A));
    await fixture.doors.ask(A, 'docs.test:443');
    full = false;
    await session.removeTenant(A);
    const isCount = (event: SecurityEvent): boolean => 'finding_info' in event;
    assert.equal(kept.filter(isCount).length, 1);
    const after = { instance: session.hello.instance, sequence: 0 };
    const seen = await Array.fromAsync(session.events({ after, follow: false }));
    assert.equal(seen.filter((event) => event.kind === 'event' && isCount(event.event)).length, 1);
    assert.ok(seen.length > kept.length, 'what a record has no room for is still shown');
  });
});

const TOKEN = named(
  'credentials.yaml',
  'credentials:\n  - name: API_TOKEN\n    bindings: [{ host: api.test, port: 80, insecure: true }]\n',
);

describe('credentials that are pushed', () => {
  /** Answers with the key that it was shown. */
  async function api(): Promise<AsyncDisposable & { readonly port: number; readonly keys: string[] }> {
    const keys: string[] = [];
    const server = createHttpServer((request: IncomingMessage, response) => {
      keys.push(`${request.headers['x-key']}`);
      response.end('ok');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
      keys,
      port: (server.address() as AddressInfo).port,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      },
    };
  }

  const policy = policyFor('host: api.test, port: 80, protocol: rest, access: full');
  const call = (key: string) =>
    `GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\nX-Key: ${key}\r\nConnection: close\r\n\r\n`;

  test('are each tenant’s own, and so are its events', async () => {
    await using origin = await api();
    await using fixture = await hostOf({}, overridesTo(origin.port, 'api.test'));
    await using session = await control(fixture);
    const placeholders: string[] = [];
    for (const id of [A, B]) {
      await session.registerTenant(spec(id));
      const parts: GenerationParts = {
        policy,
        credentials: TOKEN,
        secrets: secrets('1', { API_TOKEN: `secret-of-${id}` }),
      };
      const { environment } = await session.apply({ tenant: id, parts, mode: 'install' });
      placeholders.push(environment.API_TOKEN!);
    }
    for (const id of [A, B])
      assert.match(await fixture.doors.send(id, call(placeholders[0]!)), /^HTTP\/1\.1 200 /);
    assert.deepEqual(origin.keys, ['secret-of-tenant-a', 'secret-of-tenant-b']);

    // Without its values the next generation of one is refused, and the other's are no help.
    const bare = await refusal(
      session.apply({ tenant: A, parts: { policy, credentials: TOKEN }, mode: 'install' }),
    );
    assert.match(bare.problems[0]!.message, /no value was pushed for API_TOKEN/);
    await fixture.doors.ask(B, 'elsewhere.test:443');
    const query = { after: { instance: session.hello.instance, sequence: 0 }, follow: false } as const;
    const seen: ControlEvent[] = await Array.fromAsync(session.events({ ...query, tenants: [A] }));
    assert.ok(seen.length > 0);
    assert.ok(seen.every((event) => event.kind === 'event' && event.event.metadata.tenant_uid === A));
    const everything = JSON.stringify([
      await Array.fromAsync(session.events(query)),
      await session.status(),
      fixture.events,
    ]);
    assert.doesNotMatch(everything, /secret-of/);
  });

  test('come from nowhere else: files, commands and variables are the operator’s alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'openshell-host-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true }));
    const file = join(folder, 'token');
    await writeFile(file, 'value-of-the-file\n', { mode: 0o600 });
    await using fixture = await hostOf({
      generations: { environment: { API_TOKEN: 'of the proxy' }, trust: trustNobody() },
    });
    const credentials = named(
      'credentials.yaml',
      [
        'credentials:',
        `  - { name: A, file: ${file}, bindings: [{ host: a.test }] }`,
        '  - { name: B, command: [cat, /etc/hostname], bindings: [{ host: a.test }] }',
        '  - name: C',
        '    bindings: [{ host: a.test }]',
        '    oauth2:',
        '      grant: client_credentials',
        '      token_url: https://issuer.test/token',
        '      client_id: me',
        `      client_secret: { file: ${file} }`,
        '',
      ].join('\n'),
    );
    const routes = named(
      'routes.yaml',
      `routes:\n  - name: r\n    models: [m]\n    protocols: [openai_responses]\n    base_url: https://a.test\n    auth: { kind: bearer, command: [id] }\n`,
    );
    {
      await using session = await control(fixture);
      await session.registerTenant(spec(A));
      const { problems } = await refusal(
        session.apply({ tenant: A, parts: { policy, credentials, routes }, mode: 'install' }),
      );
      assert.deepEqual(
        problems.map(({ name, line, path }) => `${name}:${line} ${path}`),
        [
          'credentials.yaml:2 credentials[0].file',
          'credentials.yaml:3 credentials[1].command',
          'credentials.yaml:10 credentials[2].oauth2.client_secret.file',
          'routes.yaml:6 routes[0].auth.command',
        ],
      );
      assert.match(problems[0]!.message, /operator alone/);
      const missing = await refusal(
        session.apply({ tenant: A, parts: { policy, credentials: TOKEN }, mode: 'check' }),
      );
      assert.deepEqual(
        missing.problems.map(({ part, line }) => [part, line]),
        [['credentials', 2]],
      );
    }
    await using session = await control(fixture, { sources: 'host' });
    const own = named(
      'own.yaml',
      `credentials:\n  - { name: A, file: ${file}, bindings: [{ host: a.test }] }\n`,
    );
    const applied = await session.apply({ tenant: A, parts: { policy, credentials: own }, mode: 'install' });
    assert.ok(applied.environment.A);
    // What the operator has installed is not what somebody else may install again, or keep under another policy.
    await session[Symbol.asyncDispose]();
    await using other = await control(fixture);
    const kept = { kind: 'keep', hash: applied.installed.parts.credentials! } as const;
    const again = await refusal(
      other.apply({ tenant: A, parts: { policy, credentials: kept }, mode: 'install' }),
    );
    assert.equal(again.code, 'generation_refused');
  });

  test('that nothing uses are a notice, and a set of values has one revision', async () => {
    await using fixture = await hostOf();
    await using session = await control(fixture);
    await session.registerTenant(spec(A));
    const unbound = named('credentials.yaml', 'credentials:\n  - { name: API_TOKEN }\n');
    const parts = {
      policy,
      credentials: unbound,
      secrets: secrets('1', { API_TOKEN: 'one', OTHER: 'two' }),
    };
    const { notices } = await session.apply({ tenant: A, parts, mode: 'install' });
    assert.match(notices.join('\n'), /OTHER/);
    assert.doesNotMatch(
      notices.join('\n'),
      /No program may use/,
      'any program may: identity is not required',
    );
    assert.match(notices.join('\n'), /API_TOKEN is bound to nothing/);
    const same = await refusal(
      session.apply({
        tenant: A,
        parts: { ...parts, secrets: secrets('1', { API_TOKEN: 'three' }) },
        mode: 'install',
      }),
    );
    assert.equal(same.code, 'request_invalid');
    const inherited = named(
      'credentials.yaml',
      'credentials:\n  - { name: A, env: constructor, bindings: [{ host: a.test }] }\n',
    );
    const { problems: none } = await refusal(
      session.apply({ tenant: A, parts: { policy, credentials: inherited }, mode: 'check' }),
    );
    assert.match(none[0]!.message, /no value was pushed for constructor/);
    for (const [value, why] of [
      ['', /no value was pushed/],
      ['two\nlines', /line break/],
    ] as const) {
      const { problems } = await refusal(
        session.apply({
          tenant: A,
          parts: { ...parts, secrets: secrets('2', { API_TOKEN: value }) },
          mode: 'check',
        }),
      );
      assert.match(problems[0]!.message, why);
      assert.doesNotMatch(JSON.stringify(problems), /two/);
    }
  });
});
