import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { limitsWith } from '../limits.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { SigningAuthority } from './authority.ts';
import { AuthorityRing } from './authority-ring.ts';
import { type InterceptOptions, type InterceptResult, intercept } from './intercept.ts';
import { LeafCache } from './leaf-cache.ts';

const limits = limitsWith();
const DAY_MS = 86_400_000;
const authority = SigningAuthority.create();
const leaves = new LeafCache(AuthorityRing.ofOperator(authority), limits);
const scratch = mkdtempSync(join(tmpdir(), 'intercept-'));
writeFileSync(join(scratch, 'ca.pem'), authority.certificatePem);

let server: Server;
let settings: Partial<InterceptOptions> = {};
let results: Promise<InterceptResult>[] = [];
const accepted: Socket[] = [];

before(async () => {
  server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.once('data', (initial: Buffer) => {
      socket.pause();
      const { signal } = new AbortController();
      const defaults = { socket, initial, host: 'a.example', leaves, limits, signal };
      const result = intercept({ ...defaults, alpn: ['h2', 'http/1.1'], ...settings });
      results.push(result);
      void result.then((done) => {
        if (done.kind === 'intercepted') done.socket.on('error', () => {}).pipe(done.socket);
      });
    });
    socket.resume();
  });
  await once(server.listen(0, LOOPBACK), 'listening');
});
after(() => {
  for (const socket of accepted) socket.destroy();
  server.close();
  rmSync(scratch, { recursive: true });
});

async function client(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    ...{ host: LOOPBACK, port: portOf(server), ca: authority.certificatePem, servername: 'a.example' },
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket;
}

/** What became of one client that is not expected to get through. */
async function failureOf(
  use: () => Promise<unknown>,
  options: Partial<InterceptOptions> = {},
): Promise<InterceptResult> {
  settings = options;
  results = [];
  await use().catch(() => {});
  settings = {};
  const [result] = results;
  assert.ok(result !== undefined);
  return result;
}

const echo = async (socket: TLSSocket, text: string): Promise<string> => {
  socket.write(text);
  const [bytes] = await once(socket, 'data');
  return String(bytes);
};

/** Runs a client that reads nothing from us but the handshake; resolves with its exit code and what it said. */
async function run(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: 'pipe' });
  let said = '';
  child.stdout.on('data', (bytes) => (said += bytes));
  child.stderr.on('data', (bytes) => (said += bytes));
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return `${code}: ${said}`;
}

describe('interception', () => {
  const agreements: readonly (readonly [string, string[] | undefined, 'h1' | 'h2'])[] = [
    ['both', ['http/1.1', 'h2'], 'h2'],
    ['HTTP/1.1 alone', ['http/1.1'], 'h1'],
    ['HTTP/2 alone', ['h2'], 'h2'],
    ['nothing', undefined, 'h1'],
  ];
  for (const [what, offered, protocol] of agreements) {
    test(`a client that trusts the authority and offers ${what} gets ${protocol}, and its bytes pass`, async () => {
      results = [];
      const socket = await client(offered === undefined ? {} : { ALPNProtocols: offered });
      assert.equal(await echo(socket, 'hello'), 'hello');
      const result = await results[0]!;
      assert.ok(result.kind === 'intercepted' && result.protocol === protocol);
      assert.equal(
        socket.alpnProtocol,
        offered === undefined ? false : { h1: 'http/1.1', h2: 'h2' }[protocol],
      );
      assert.equal(socket.authorized, true);
      socket.destroy();
    });
  }

  test('a client without a server name, and one of TLS 1.2, are served too', async () => {
    const tests: ConnectionOptions[] = [
      { servername: '', checkServerIdentity: () => undefined },
      { maxVersion: 'TLSv1.2' },
    ];
    for (const options of tests) {
      const socket = await client(options);
      assert.equal(await echo(socket, 'x'), 'x');
      socket.destroy();
    }
  });

  test('a host that is an address has a certificate for the address', async () => {
    settings = { host: '192.0.2.7' };
    const socket = await client({ servername: '', host: LOOPBACK, checkServerIdentity: () => undefined });
    assert.equal(socket.getPeerCertificate().subjectaltname, 'IP Address:192.0.2.7');
    settings = {};
    socket.destroy();
  });

  test('megabytes pass in both directions', async () => {
    const socket = await client();
    const sent = Buffer.alloc(4_000_000, 'abcdefghij');
    let got = 0;
    socket.on('data', (bytes: Buffer) => (got += bytes.length));
    socket.end(sent);
    await once(socket, 'end');
    assert.equal(got, sent.length);
  });

  test('a second connection resumes the session, and no other host accepts its ticket', async () => {
    const first = await client();
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const second = await client({ session });
    assert.equal(second.isSessionReused(), true);
    second.destroy();
    settings = { host: 'b.example' };
    const elsewhere = await client({ session, servername: 'b.example' });
    settings = {};
    assert.equal(elsewhere.isSessionReused(), false);
    elsewhere.destroy();
  });

  test('curl and openssl accept the certificate', async () => {
    const where = `${LOOPBACK}:${portOf(server)}`;
    const name = ['-servername', 'a.example', '-verify_hostname', 'a.example'];
    const trust = ['-CAfile', join(scratch, 'ca.pem'), '-verify_return_error'];
    assert.match(
      await run('openssl', ['s_client', '-connect', where, ...name, ...trust]),
      /Verify return code: 0/,
    );
  });
});

describe('interception refuses', () => {
  const alerts: readonly (readonly [string, () => Promise<unknown>])[] = [
    [
      'curl',
      () =>
        run('curl', [
          '-s',
          '--connect-to',
          `a.example:443:${LOOPBACK}:${portOf(server)}`,
          'https://a.example/',
        ]),
    ],
    [
      'openssl',
      () =>
        run('openssl', [
          's_client',
          '-connect',
          `${LOOPBACK}:${portOf(server)}`,
          '-servername',
          'a.example',
          '-verify_return_error',
        ]),
    ],
  ];
  for (const [name, use] of alerts) {
    test(`nothing, but ${name} that does not trust the authority is understood`, async () => {
      const result = await failureOf(use);
      assert.ok(result.kind === 'failed');
      assert.equal(result.code, 'distrusted');
      assert.match(result.detail, /does not trust/);
    });
  }

  const refused: readonly (readonly [string, ConnectionOptions, string, Partial<InterceptOptions>?])[] = [
    [
      'another server name than the allowed one',
      { servername: 'other.example', rejectUnauthorized: false },
      'name_mismatch',
    ],
    ['protocols that we do not speak', { ALPNProtocols: ['spdy/3'] }, 'handshake'],
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, 'handshake'],
  ];
  for (const [what, options, code] of refused) {
    test(what, async () => {
      const result = await failureOf(async () => {
        const socket = await client(options);
        await once(socket, 'close');
      });
      assert.ok(result.kind === 'failed');
      assert.equal(result.code, code, result.detail);
    });
  }

  const raw = async (bytes: Buffer, end: boolean): Promise<Socket> => {
    const socket = netConnect({ host: LOOPBACK, port: portOf(server) });
    socket.on('error', () => {});
    socket.write(bytes);
    if (end) socket.end();
    socket.resume();
    await once(socket, 'close');
    return socket;
  };
  const HELLO_START = Buffer.from('1603010200010001fc0303', 'hex');

  test('bytes that are no TLS', async () => {
    const result = await failureOf(() => raw(Buffer.from('GET / HTTP/1.1\r\n\r\n'), false));
    assert.ok(result.kind === 'failed' && result.code === 'handshake');
  });
  test('a hello that never ends, in time', async () => {
    const result = await failureOf(() => raw(HELLO_START, false), { limits: limitsWith({ tlsTime: 20 }) });
    assert.ok(result.kind === 'failed' && result.code === 'timeout');
  });
  test('a client that goes in the middle', async () => {
    const result = await failureOf(() => raw(HELLO_START, true));
    assert.ok(result.kind === 'failed' && result.code === 'closed', JSON.stringify(result));
  });
  test('everything once it is aborted', async () => {
    const abort = new AbortController();
    const pending = failureOf(() => raw(HELLO_START, false), { signal: abort.signal });
    await once(server, 'connection');
    abort.abort(new Error('policy changed'));
    const result = await pending;
    assert.ok(result.kind === 'failed' && result.code === 'aborted' && result.detail === 'policy changed');
  });
  test('everybody, with an alert and a reason, once the authority has expired', async () => {
    const expired = AuthorityRing.ofOperator(SigningAuthority.create(Date.now() - 400 * DAY_MS));
    const alerts: string[] = [];
    const result = await failureOf(
      () =>
        client({ rejectUnauthorized: false }).catch((error: NodeJS.ErrnoException) => {
          alerts.push(error.code ?? '');
        }),
      { leaves: new LeafCache(expired, limits) },
    );
    assert.ok(result.kind === 'failed' && result.code === 'authority', JSON.stringify(result));
    assert.match(result.detail, /has expired/);
    assert.match(result.remedy ?? '', /rotate/);
    assert.deepEqual(alerts, ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR']);
  });
  test('a record that was tampered with after the handshake, by closing', async () => {
    results = [];
    const upstream = netConnect({ host: LOOPBACK, port: portOf(server) });
    const relay = createServer((socket) => {
      socket.on('error', () => {}).pipe(upstream);
      upstream.on('error', () => {}).pipe(socket);
    });
    await once(relay.listen(0, LOOPBACK), 'listening');
    const socket = await client({ port: portOf(relay) });
    socket.on('error', () => {});
    assert.equal(await echo(socket, 'x'), 'x');
    const result = await results[0]!;
    assert.ok(result.kind === 'intercepted');
    upstream.write(Buffer.from(`1703030020${'00'.repeat(32)}`, 'hex'));
    await once(result.socket, 'close');
    relay.close();
    socket.destroy();
  });
});
