import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { limitsWith } from '../limits.ts';
import { LOOPBACK, portOf } from '../test-support/fixture.ts';
import { identityFor } from '../test-support/identities.ts';
import { SigningAuthority } from './authority.ts';
import { type SecureUpstreamOptions, type SecureUpstreamResult, secureUpstream } from './secure-upstream.ts';
import { SessionCache } from './session-cache.ts';
import { loadTrust } from './trust.ts';
import { LateRefusal } from './upstream-errors.ts';

const DAY_MS = 86_400_000;
const limits = limitsWith();
const authority = SigningAuthority.create();
const trust = loadTrust({ operatorPem: [authority.certificatePem] });
const identity = identityFor(authority, 'a.example');

const owned: (() => void)[] = [];
after(() => {
  for (const release of owned) release();
});

const servers = new Map<number, Server>();

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  owned.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, LOOPBACK), 'listening');
  servers.set(portOf(server), server);
  return portOf(server);
}

function upstream(options: TlsOptions = {}): Promise<number> {
  const server = createServer({ ...identity, ...options }, (socket) =>
    socket.on('error', () => {}).pipe(socket),
  );
  server.on('tlsClientError', () => {});
  return listening(server);
}

async function secure(
  port: number,
  options: Partial<SecureUpstreamOptions> = {},
): Promise<SecureUpstreamResult> {
  const socket = connect({ host: LOOPBACK, port });
  await once(socket, 'connect');
  owned.push(() => socket.destroy());
  return secureUpstream({
    ...{ socket, host: 'a.example', port, alpn: ['h2', 'http/1.1'], trust, limits },
    ...{ sessions: new SessionCache(8), signal: new AbortController().signal },
    ...options,
  });
}

function secured(result: SecureUpstreamResult): TLSSocket {
  assert.ok(result.kind === 'secured', JSON.stringify(result));
  return result.socket;
}

describe('a connection to an upstream', () => {
  const agreements: readonly (readonly [string, string[] | undefined, 'h1' | 'h2'])[] = [
    ['speaks both', ['h2', 'http/1.1'], 'h2'],
    ['speaks HTTP/1.1', ['http/1.1'], 'h1'],
    ['knows nothing of ALPN', undefined, 'h1'],
  ];
  for (const [what, ALPNProtocols, protocol] of agreements) {
    test(`is ${protocol} where it ${what}`, async () => {
      const result = await secure(await upstream(ALPNProtocols === undefined ? {} : { ALPNProtocols }));
      secured(result);
      assert.ok(result.kind === 'secured' && result.protocol === protocol);
    });
  }

  test('is refused where only HTTP/2 will do and the upstream does not speak it', async () => {
    for (const options of [{}, { ALPNProtocols: ['http/1.1'] }]) {
      const result = await secure(await upstream(options), { alpn: ['h2'] });
      assert.ok(
        result.kind === 'failed' && result.failure.code === 'upstream_protocol',
        JSON.stringify(result),
      );
    }
  });

  test('resumes the session of the one before, in both versions of TLS, and never for another host', async () => {
    const both = identityFor(authority, '*.svc.example');
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const port = await upstream({ ...both, maxVersion });
      const sessions = new SessionCache(8);
      const reused: boolean[] = [];
      for (const host of ['a.svc.example', 'a.svc.example', 'a.svc.example', 'b.svc.example']) {
        const socket = secured(await secure(port, { sessions, host }));
        // TLS 1.3 sends its tickets after the handshake, before the answer.
        socket.write('x');
        await once(socket, 'data');
        reused.push(socket.isSessionReused());
        socket.destroy();
      }
      assert.deepEqual(reused, [false, true, true, false], maxVersion);
    }
  });

  test('to an address is compared with the address', async () => {
    const port = await upstream(identityFor(authority, LOOPBACK));
    secured(await secure(port, { host: LOOPBACK }));
    const result = await secure(port, { host: '192.0.2.1' });
    assert.ok(result.kind === 'failed' && result.failure.code === 'upstream_untrusted');
  });
});

describe('the certificate of an upstream is refused where', () => {
  const old = SigningAuthority.create(Date.now() - 60 * DAY_MS);
  const stranger = SigningAuthority.create();
  const cases: readonly (readonly [string, TlsOptions, RegExp, SigningAuthority?])[] = [
    ['its authority is not trusted', identityFor(stranger, 'a.example'), /authority|chain/],
    ['it has expired', identityFor(old, 'a.example', Date.now() - 60 * DAY_MS), /expired/, old],
    ['it is for another name', identityFor(authority, 'b.example'), /other names/],
    ['it is for names below', identityFor(authority, '*.a.example'), /other names/],
    ['it was tampered with', tampered(), /signature|chain|authority/],
  ];
  for (const [what, options, detail, trusted = authority] of cases) {
    test(what, async () => {
      const result = await secure(await upstream(options), {
        trust: loadTrust({ operatorPem: [trusted.certificatePem] }),
      });
      assert.ok(result.kind === 'failed');
      assert.equal(result.failure.code, 'upstream_untrusted', result.failure.detail);
      assert.match(result.failure.detail, detail);
    });
  }

  /** One bit of the signature is another one. */
  function tampered(): TlsOptions {
    const { cert, key } = identityFor(authority, 'a.example');
    const der = Buffer.from(cert.replace(/-----[^-]+-----/g, ''), 'base64');
    der[der.length - 1]! ^= 1;
    const body = der.toString('base64');
    return { cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`, key };
  }

  test('it is signed by itself, until the operator adds it', async () => {
    const lone = SigningAuthority.create();
    const port = await upstream(identityFor(lone, 'a.example'));
    const refused = await secure(port, { trust: loadTrust({}) });
    assert.ok(refused.kind === 'failed' && refused.failure.code === 'upstream_untrusted');
    assert.match(refused.failure.remedy ?? '', /--upstream-ca/);
    secured(await secure(port, { trust: loadTrust({ operatorPem: [lone.certificatePem] }) }));
  });
});

describe('a client certificate', () => {
  const clients = SigningAuthority.create();
  const mine = identityFor(clients, 'client.example');
  const demanding: TlsOptions = {
    ...{ ca: clients.certificatePem, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' },
  };
  const withClient = (hostPattern: string): Partial<SecureUpstreamOptions> => ({
    trust: loadTrust({
      operatorPem: [authority.certificatePem],
      clientCertificates: [{ hostPattern, certPem: mine.cert, keyPem: mine.key }],
    }),
  });

  test('is shown to the hosts that it is meant for', async () => {
    // The leaf is a server's; that is what this server checks, as many do, by chain alone.
    const port = await upstream({
      ...demanding,
      ...identityFor(authority, 'a.svc.example'),
      rejectUnauthorized: false,
    });
    for (const [pattern, shown] of [
      ['a.svc.example', true],
      ['*.svc.example', true],
      ['b.svc.example', false],
    ] as const) {
      const server = once(servers.get(port)!, 'secureConnection') as Promise<[TLSSocket]>;
      secured(await secure(port, { ...withClient(pattern), host: 'a.svc.example' }));
      const [socket] = await server;
      assert.equal(socket.getPeerCertificate().subject?.CN, shown ? 'client.example' : undefined);
    }
  });

  test('that is missing is an error with a remedy', async () => {
    const result = await secure(await upstream(demanding));
    assert.ok(
      result.kind === 'failed' && result.failure.code === 'upstream_protocol',
      JSON.stringify(result),
    );
    assert.match(result.failure.remedy ?? '', /client certificate/);
  });

  test('that is missing under TLS 1.3 is told after the handshake: the connection ends with that', async () => {
    const socket = secured(await secure(await upstream({ ...demanding, maxVersion: 'TLSv1.3' })));
    await new Promise((resolve) => socket.resume().once('close', resolve));
    const { errored } = socket;
    assert.ok(errored instanceof LateRefusal, String(errored));
    assert.match(errored.message, /a\.example refused the TLS handshake/);
    assert.match(errored.explained.remedy ?? '', /--client-certificate/);
  });

  test('whose key is another one is refused when it is configured, without a word of the key', () => {
    const bad = { hostPattern: 'a.example', certPem: mine.cert, keyPem: identity.key };
    assert.throws(
      () => loadTrust({ clientCertificates: [bad] }),
      (error: Error) =>
        (error as { code?: string }).code === 'certificate_invalid' && !error.message.includes('PRIVATE'),
    );
  });
});

describe('a handshake that fails is explained:', () => {
  const plain = (onConnection: (socket: Socket) => void): Promise<number> =>
    listening(createPlainServer(onConnection));

  const cases: readonly (readonly [string, (socket: Socket) => void, string])[] = [
    ['no TLS', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'upstream_protocol'],
    ['closed', (socket) => socket.once('data', () => socket.end()), 'upstream_unreachable'],
    ['reset', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'upstream_unreachable'],
    ['silent', () => {}, 'upstream_timeout'],
  ];
  for (const [what, onConnection, code] of cases) {
    test(what, async () => {
      const result = await secure(await plain(onConnection), { limits: limitsWith({ tlsTime: 100 }) });
      assert.ok(result.kind === 'failed');
      assert.equal(result.failure.code, code, result.failure.detail);
    });
  }

  test('aborted', async () => {
    const abort = new AbortController();
    const port = await plain((socket) => socket.once('data', () => abort.abort(new Error('gone'))));
    const result = await secure(port, { signal: abort.signal });
    assert.ok(result.kind === 'failed' && result.failure.detail === 'gone');
  });
});
