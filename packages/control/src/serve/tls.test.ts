import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as http2Connect } from 'node:http2';
import { connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { status as Status } from '@grpc/grpc-js';
import { connectProxy } from '../connect/connect-proxy.ts';
import type { ControlTls } from '../connect/target.ts';
import type { ControlCode } from '../contract/refusal.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { connect, FakeProxy, refused } from '../testing/index.ts';
import type { ControlServer, ServerTls } from './options.ts';
import { serveControl } from './serve-control.ts';
import { TestAuthority } from './test-certificates.ts';

const authority = new TestAuthority();
const stranger = new TestAuthority();
const server = authority.issue('IP:127.0.0.1');
const controller = authority.issue('URI:spiffe://example/controller', 'DNS:Controller.example');
const forged = stranger.issue('URI:spiffe://example/controller');

const directory = mkdtempSync(join(tmpdir(), 'openshell-token-'));
const tokenFile = join(directory, 'token');
const TOKEN = 'a-token-of-this-test';
writeFileSync(tokenFile, `${TOKEN}\n`);

after(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

const MUTUAL: ServerTls = { ...server, clientCa: authority.pem };

const serve = (tls: ServerTls, token?: string): Promise<ControlServer> =>
  serveControl({
    control: new FakeProxy().control,
    address: { kind: 'tcp', host: '127.0.0.1', port: 0, tls },
    tokenFile: token,
  });

const portOf = ({ address }: ControlServer): number => Number(address.split(':').at(-1));

const reach = (where: ControlServer, tls: ControlTls, token?: string) =>
  connect({ control: connectProxy({ kind: 'tcp', host: '127.0.0.1', port: portOf(where), tls, token }) });

/** A connection as a controller makes it, without a session. */
async function open(where: ControlServer, options: ConnectionOptions) {
  const socket = tlsConnect({
    ...{ port: portOf(where), host: '127.0.0.1', ca: authority.pem, ALPNProtocols: ['h2'] },
    ...{ cert: controller.certificate, key: controller.key },
    ...options,
  });
  const ticket = once(socket, 'session').then(([bytes]) => bytes as Buffer);
  await once(socket, 'secureConnect');
  const http2 = http2Connect('http://proxy', { createConnection: () => socket });
  return { http2, ticket, resumed: socket.isSessionReused() };
}

/** What a call without a session is answered. */
async function statusOf(http2: ClientHttp2Session, authorization = ''): Promise<string | undefined> {
  const path = '/openshell.proxy.v1.ProxyControl/GetStatus';
  const more = { 'content-type': 'application/grpc', authorization };
  const stream = http2.request({ ':method': 'POST', ':path': path, ...more });
  // One empty message (gRPC over HTTP/2, "Length-Prefixed-Message").
  stream.end(Buffer.alloc(5)).resume();
  const trailers = once(stream, 'trailers').catch(() => []);
  const [head] = await once(stream, 'response');
  const status = head['grpc-status'] ?? (await trailers)[0]['grpc-status'];
  return Status[status];
}

async function call(where: ControlServer, options: ConnectionOptions) {
  const { http2, ticket, resumed } = await open(where, options);
  const status = await statusOf(http2);
  const session = resumed ? undefined : await ticket;
  http2.destroy();
  return { resumed, status, ticket: session };
}

interface Case {
  readonly server: ServerTls;
  readonly asksToken?: boolean;
  readonly client: ControlTls;
  readonly token?: string;
  /** Absent: let in. */
  readonly refusal?: ControlCode;
}

const trusting = { ca: authority.pem };
const known: ControlTls = { ...trusting, ...controller };
const cases: Readonly<Record<string, Case>> = {
  'a certificate from the authority is enough': { server: MUTUAL, client: known },
  'a certificate for a listed URI is let in': {
    server: { ...MUTUAL, clientNames: ['spiffe://example/controller'] },
    client: known,
  },
  'a certificate for a listed host is let in, however that is written': {
    server: { ...MUTUAL, clientNames: ['CONTROLLER.example'] },
    client: known,
  },
  'a certificate for somebody else is not': {
    server: { ...MUTUAL, clientNames: ['spiffe://example/other'] },
    client: known,
    refusal: 'unauthenticated',
  },
  'a certificate and the token': { server: MUTUAL, asksToken: true, client: known, token: TOKEN },
  'a certificate alone is not enough where a token is asked for': {
    server: MUTUAL,
    asksToken: true,
    client: known,
    refusal: 'unauthenticated',
  },
  'a token in place of a certificate': { server, asksToken: true, client: trusting, token: TOKEN },
  'another token': {
    server,
    asksToken: true,
    client: trusting,
    token: `${TOKEN}x`,
    refusal: 'unauthenticated',
  },
  'nothing at all': { server: MUTUAL, client: trusting, refusal: 'unavailable' },
  'a certificate from another authority': {
    server: MUTUAL,
    client: { ...trusting, ...forged },
    refusal: 'unavailable',
  },
  'a proxy whose certificate is for another host is not believed': {
    server: MUTUAL,
    client: { ...known, serverName: 'other.example' },
    refusal: 'unavailable',
  },
  'a proxy from another authority is not believed': {
    server: MUTUAL,
    client: { ...known, ca: stranger.pem },
    refusal: 'unavailable',
  },
};

describe('who controls by the TLS port', () => {
  for (const [name, { server: tls, asksToken, client, token, refusal }] of Object.entries(cases))
    test(name, async () => {
      await using where = await serve(tls, asksToken ? tokenFile : undefined);
      if (refusal) {
        await refused(reach(where, client, token), refusal);
        return;
      }
      await using session = await reach(where, client, token);
      assert.equal((await session.status()).tenants.length, 0);
    });

  test('a token is read anew, so that an old one has no more effect, and without the file nobody gets in', async () => {
    const path = join(directory, 'renewed');
    writeFileSync(path, TOKEN);
    await using where = await serve(server, path);
    const session = await reach(where, trusting, TOKEN);
    writeFileSync(path, 'another-token');
    await refused(session.status(), 'unauthenticated');
    await session[Symbol.asyncDispose]();
    await using renewed = await reach(where, trusting, 'another-token');
    for (const empty of ['', '\n', 'x'.repeat(5000)]) {
      writeFileSync(path, empty);
      await refused(renewed.status(), 'unauthenticated');
    }
    rmSync(path);
    await refused(renewed.status(), 'unauthenticated');
  });

  test('renewed certificates are shown and believed from the next connection on', async () => {
    await using where = await serve(MUTUAL);
    await using before = await reach(where, known);
    where.renew({ ...stranger.issue('IP:127.0.0.1'), clientCa: stranger.pem });
    await refused(reach(where, known), 'unavailable');
    const renewed = { ca: stranger.pem, ...forged };
    await before[Symbol.asyncDispose]();
    await using session = await reach(where, renewed);
    assert.equal(session.hello.protocol, 2);
    assert.throws(() => where.renew(server), { code: 'request_invalid' });
  });

  test('a port that would let in anybody is not opened', async () => {
    await refused(serve(server), 'request_invalid');
    await refused(serve({ ...server, clientNames: ['a'] }, tokenFile), 'request_invalid');
    await refused(serve({ ...MUTUAL, clientNames: [] }), 'request_invalid');
    await refused(serve({ certificate: 'no', key: 'no', clientCa: authority.pem }), 'request_invalid');
  });

  test('who speaks without TLS, or with an older one, gets nothing', async () => {
    await using where = await serve(MUTUAL);
    const plain = netConnect({ port: portOf(where), host: '127.0.0.1' });
    plain.on('error', () => undefined);
    plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    assert.equal((await text(plain).catch(() => '')).includes('HTTP'), false);
    const old = tlsConnect({ port: portOf(where), host: '127.0.0.1', ...known, maxVersion: 'TLSv1.2' });
    const [error] = await once(old, 'error');
    assert.match(`${error.code}`, /PROTOCOL|ALERT/);
  });

  test('a session that is resumed after its certificate has expired does not control', async (t) => {
    await using where = await serve(MUTUAL);
    const session = await call(where, {});
    assert.equal(session.resumed, false);
    const { ticket } = session;
    const inTime = await call(where, { session: ticket });
    assert.deepEqual([inTime.resumed, inTime.status], [true, 'FAILED_PRECONDITION']);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3 * 86_400_000 });
    const late = await call(where, { session: ticket });
    assert.deepEqual([late.resumed, late.status], [true, 'UNAUTHENTICATED']);
  });

  test('who may not call holds no place, however often it tries', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await using where = await serve(server, tokenFile);
    const { http2 } = await open(where, {});
    const closed = once(http2, 'close');
    assert.equal(await statusOf(http2, 'Bearer another'), 'UNAUTHENTICATED');
    const friend = await open(where, {});
    assert.equal(await statusOf(friend.http2, `Bearer ${TOKEN}`), 'FAILED_PRECONDITION');
    t.mock.timers.tick(CONTROL_LIMITS.handshakeTime.value);
    await closed;
    assert.equal(await statusOf(friend.http2, `Bearer ${TOKEN}`), 'FAILED_PRECONDITION');
    friend.http2.destroy();
    t.mock.timers.reset();
  });

  test('closing does not wait for who has said nothing', async () => {
    const where = await serve(MUTUAL);
    const silent = netConnect({ port: portOf(where), host: '127.0.0.1' });
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    silent.resume();
    await where[Symbol.asyncDispose]();
    await closed;
  });
});
