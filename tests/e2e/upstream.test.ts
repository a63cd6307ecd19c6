import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { checkDestination } from '@openshell/policy';
import { type IssuedCertificate, selfSigned, TestAuthority } from '../support/certificates.ts';
import { ConnectProxy } from '../support/connect-proxy.ts';
import { httpEvents } from '../support/events.ts';
import { type Outcome, openshell, Started } from '../support/openshell.ts';
import { httpOrigin, httpsOrigin, Origin } from '../support/origin.ts';
import { type TestEndpoint, writePolicy } from '../support/policy.ts';
import { Scratch } from '../support/scratch.ts';

/** What `--resolve` names is dialled directly: what goes through a proxy is named by its address. Nobody lives at this one. */
const FAR = '10.255.254.253';
const PASSWORD = 'the-password-of-the-proxy';
const CREDENTIALS = `me:${PASSWORD}`;
const READING = { protocol: 'rest', access: 'read-only' };
const CURL = 'curl -sS --max-time 10';

/** Addresses of this machine that a policy can lead to: not those of loopback. */
const own = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses.map(({ address }) => address))
  .filter((address) => checkDestination([address], { host: address, port: 443, exactHost: true }).ok);
const authorityOf = (host: string, port: number): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

const scratch = new Scratch();
const stack = new AsyncDisposableStack();
let authority: TestAuthority;
let server: IssuedCertificate;
let https: Origin;
let http: Origin;

before(async () => {
  authority = await TestAuthority.make(scratch);
  server = await authority.issue(['origin.test', FAR, ...own]);
  [https, http] = [stack.use(await httpsOrigin(server)), stack.use(await httpOrigin())];
});
after(async () => {
  await stack.disposeAsync();
  scratch[Symbol.dispose]();
});

let runs = 0;
interface Prepared {
  readonly args: readonly string[];
  events(): string;
}

/** `openshell run` of a script by curl for these endpoints. */
const prepared = (endpoints: readonly TestEndpoint[], options: readonly string[]): Prepared => {
  runs += 1;
  const [policy, events] = [scratch.join(`policy-${runs}.json`), scratch.join(`events-${runs}`)];
  writePolicy(policy, { endpoints, binaries: ['/usr/bin/curl'] });
  const operator = ['--upstream-ca', authority.file, '--events', events];
  return {
    args: ['run', '--policy', policy, ...operator, ...options, '--', 'sh'],
    events: () => readFileSync(events, 'utf8'),
  };
};

interface Ended extends Outcome {
  readonly events: string;
}

const run = async (
  script: string,
  endpoints: readonly TestEndpoint[],
  options: readonly string[],
): Promise<Ended> => {
  const { args, events } = prepared(endpoints, options);
  const outcome = await openshell(args, { cwd: scratch.path, input: script });
  assert.equal(outcome.code, 0, outcome.stderr);
  return { ...outcome, events: events() };
};

const file = (name: string, text: string): string => {
  writeFileSync(scratch.join(name), text);
  return scratch.join(name);
};

/** Neither the password nor the form in which it is sent. */
const assertHidden = (texts: readonly string[], credentials = CREDENTIALS): void => {
  const [, password = ''] = credentials.split(':');
  for (const hidden of [password, Buffer.from(credentials).toString('base64')])
    assert.ok(!texts.join('').includes(hidden), texts.join(''));
};

describe('behind the proxy of its network', { concurrency: 2 }, () => {
  const endpoints: readonly TestEndpoint[] = [
    { host: FAR, port: 443, ...READING },
    { host: FAR, port: 80, ...READING },
    { host: FAR, port: 81 },
    { host: FAR, port: 8443 },
  ];
  const routes = () => ({
    [`${FAR}:443`]: https.port,
    [`${FAR}:80`]: http.port,
    [`${FAR}:81`]: http.port,
    [`${FAR}:8443`]: https.port,
  });
  const through = (proxy: ConnectProxy, credentials = CREDENTIALS): string[] => {
    runs += 1;
    return ['--upstream-proxy', proxy.url, '--upstream-proxy-auth', file(`auth-${runs}`, `${credentials}\n`)];
  };

  test('inspected requests, plain ones and tunnels go through it, with a password that the command cannot find', async () => {
    await using proxy = await ConnectProxy.start(routes(), CREDENTIALS);
    const script = `
${CURL} --http1.1 https://${FAR}/inspected https://${FAR}/again
${CURL} http://${FAR}/plain
${CURL} http://${FAR}:81/forwarded
${CURL} https://${FAR}:8443/tunnel
${CURL} --noproxy '*' https://${FAR}:8443/captured
${CURL} -o /dev/null -w '%{http_code}\\n' -d x https://${FAR}/refused
cat /proc/*/environ /proc/*/cmdline /run/openshell/*/* 2>/dev/null | tr '\\0' '\\n' | grep -c '[t]he-password'; true`;
    const { stdout, stderr, events } = await run(script, endpoints, through(proxy));
    assert.deepEqual(
      stdout.trim().split('\n'),
      [
        ...['/inspected', '/again', '/plain', '/forwarded', '/tunnel', '/captured'].map(
          (path) => `origin GET ${path}`,
        ),
        ...['403', '0'],
      ],
      stderr,
    );
    assert.deepEqual(
      proxy.asked,
      ['443', '80', '81', '8443', '8443'].map((port) => `${FAR}:${port}`),
    );
    const sent = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;
    assert.deepEqual([...new Set(proxy.authorizations)], [sent]);
    assert.deepEqual(proxy.others, []);
    assertHidden([stdout, stderr, events]);
  });

  test('which refuses the password, each client is told so with 502, and nobody is told the password', async () => {
    await using proxy = await ConnectProxy.start(routes(), CREDENTIALS);
    const wrong = 'me:another-password';
    const script = ['https://HOST/', 'http://HOST/', 'http://HOST:81/']
      .map((url) => `${CURL} -w '%{http_code}\\n' ${url.replace('HOST', FAR)}`)
      .concat(`curl -s -w '%{http_connect}\\n' https://${FAR}:8443/; true`)
      .join('\n');
    const { stdout, stderr, events } = await run(script, endpoints, through(proxy, wrong));
    const lines = stdout.trim().split('\n');
    assert.equal(lines.filter((line) => line === '502').length, 4, stdout);
    const bodies = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert.deepEqual(
      bodies.map(({ error }) => error),
      Array(3).fill('upstream_unreachable'),
    );
    for (const { detail } of bodies)
      assert.match(detail, /the upstream proxy 127\.0\.0\.1:\d+ refused its credentials \(407\)/);
    assert.match(events, /refused its credentials/);
    assertHidden([stdout, stderr, events], wrong);
    assert.equal(proxy.asked.length, 4);
  });

  test('which cannot reach the origin, the client gets 502', async () => {
    await using proxy = await ConnectProxy.start({});
    const { stdout } = await run(`${CURL} https://${FAR}/`, endpoints, ['--upstream-proxy', proxy.url]);
    assert.match(JSON.parse(stdout).detail, /the upstream proxy .* answered 502/);
  });

  const direct = own.length === 0 && 'no address of its own that policies allow on this machine';

  test('which has gone, there is 502 and no connection around it', { skip: direct }, async () => {
    const [host = ''] = own;
    const origin = stack.use(await httpOrigin(host));
    const { port } = origin;
    const proxy = stack.use(await ConnectProxy.start({ [authorityOf(host, port)]: port }));
    const address = `http://${authorityOf(host, port)}`;
    const { args, events } = prepared([{ host, port, ...READING }], ['--upstream-proxy', proxy.url]);
    const started = new Started(args, { cwd: scratch.path });
    // The first request says that the route is there; the second is sent when there is no proxy any more.
    started.type(`${CURL} -w '%{http_code}\\n' ${address}/first; read line; ${CURL} ${address}/second\n`);
    await started.prints('\n');
    await proxy[Symbol.asyncDispose]();
    const before = origin.connections;
    started.type('on\nexit\n');
    started.child.stdin?.end();
    const { stdout, code, stderr } = await started.finished;
    assert.equal(code, 0, stderr);
    const { error, detail } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    assert.equal(error, 'upstream_unreachable');
    assert.match(detail, /the upstream proxy 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/);
    assert.equal(origin.connections, before);
    assert.equal(httpEvents(events()).at(-1)?.http_response?.code, 502);
  });

  test('what is meant to be reached directly is reached around it', { skip: direct }, async () => {
    const [host = ''] = own;
    const origin = stack.use(await httpOrigin(host));
    const { port } = origin;
    await using proxy = await ConnectProxy.start(routes());
    const options = ['--upstream-proxy', proxy.url, '--upstream-no-proxy', `.internal,${host}`];
    const script = `${CURL} http://${authorityOf(host, port)}/direct; ${CURL} http://${FAR}/proxied`;
    const { stdout } = await run(script, [...endpoints, { host, port, ...READING }], options);
    assert.equal(stdout, 'origin GET /direct\norigin GET /proxied\n');
    assert.deepEqual([origin.connections, proxy.asked], [1, [`${FAR}:80`]]);
  });
});

describe('an upstream that is not reached', { concurrency: 2 }, () => {
  const endpoints: readonly TestEndpoint[] = [{ host: 'origin.test', port: 443, ...READING }];
  const resolved = (port: number): string[] => ['--resolve', `origin.test:443=127.0.0.1:${port}`];

  test('for its certificate: the client gets 502 with the reason, which is in the event too', async () => {
    const stranger = await TestAuthority.make(scratch, 'stranger');
    const cases: readonly [certificate: IssuedCertificate, reason: RegExp][] = [
      [await selfSigned(scratch, 'origin.test'), /is signed by itself/],
      [await stranger.issue(['origin.test']), /without its chain, or from an authority that is not known/],
      [await authority.issue(['origin.test'], { days: -1 }), /has expired/],
      [await authority.issue(['other.test']), /is for other names/],
    ];
    await using origins = new AsyncDisposableStack();
    const listening: Origin[] = [];
    for (const [certificate] of cases) listening.push(origins.use(await httpsOrigin(certificate)));
    const { stdout, events } = await run(
      cases.map((_, index) => `${CURL} -w '%{http_code}\\n' https://origin.test:${index + 1}/`).join('\n'),
      cases.map((_, index) => ({ host: 'origin.test', port: index + 1, ...READING })),
      listening.flatMap(({ port }, index) => ['--resolve', `origin.test:${index + 1}=127.0.0.1:${port}`]),
    );
    const lines = stdout.split('\n');
    const told = httpEvents(events);
    for (const [index, [, reason]] of cases.entries()) {
      const { error, detail } = JSON.parse(lines[2 * index] ?? '');
      assert.deepEqual([lines[2 * index + 1], error], ['502', 'upstream_untrusted']);
      assert.match(detail, /^the certificate of origin\.test /);
      assert.match(detail, reason);
      assert.equal(told[index]?.http_response?.code, 502);
      assert.match(told[index]?.status_detail ?? '', reason);
    }
  });

  test('because nobody listens: the client gets 502 with the reason', async () => {
    const origin = await httpOrigin();
    const { port } = origin;
    await origin[Symbol.asyncDispose]();
    const { stdout } = await run(`${CURL} -w '%{http_code}' https://origin.test/`, endpoints, resolved(port));
    const [body = '', status] = stdout.split('\n');
    const { error, detail } = JSON.parse(body);
    assert.deepEqual([status, error], ['502', 'upstream_unreachable']);
    assert.match(detail, /ECONNREFUSED/);
  });
});

describe('an origin that wants to know its client', { concurrency: 2 }, () => {
  let clients: TestAuthority;
  let client: IssuedCertificate;
  before(async () => {
    clients = await TestAuthority.make(scratch, 'clients');
    client = await clients.issue(['build.test'], { use: 'clientAuth' });
  });

  const demanding = (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<Origin> =>
    Origin.listen(
      createSecureServer(
        {
          ...{ cert: server.certificate, key: server.key, ca: readFileSync(clients.file), maxVersion },
          ...{ requestCert: true, rejectUnauthorized: true, allowHTTP1: true },
        },
        ({ httpVersion, stream, socket }, response) => {
          const { subject } = ((stream?.session?.socket ?? socket) as TLSSocket).getPeerCertificate();
          response.end(`${httpVersion} ${subject.CN}\n`);
        },
      ),
    );
  const WAYS = [
    ['--http1.1', '1.1', 'TLSv1.2'],
    ['--http1.1', '1.1', 'TLSv1.3'],
    ['--http2', '2.0', 'TLSv1.3'],
  ] as const;
  /** Asks in each of the ways, one origin for each, with the certificate for `host`. */
  const ask = async (host: string): Promise<Ended> => {
    await using origins = new AsyncDisposableStack();
    const listening: Origin[] = [];
    for (const [, , maxVersion] of WAYS) listening.push(origins.use(await demanding(maxVersion)));
    const requests = WAYS.map(
      ([option], index) => `${CURL} ${option} -w '%{http_code}\\n' https://origin.test:${index + 1}/`,
    );
    return await run(
      `${requests.join('\n')}
cat /proc/*/environ /run/openshell/*/* 2>/dev/null | grep -c PRIVATE; true`,
      WAYS.map((_, index) => ({ host: 'origin.test', port: index + 1, ...READING })),
      [
        ...listening.flatMap(({ port }, index) => [
          '--resolve',
          `origin.test:${index + 1}=127.0.0.1:${port}`,
        ]),
        ...['--client-certificate', `${host}=${client.certificateFile},${client.keyFile}`],
      ],
    );
  };

  test('is shown the certificate that is meant for it, over each version of HTTP and TLS; the key stays outside', async () => {
    const { stdout, stderr } = await ask('origin.test');
    const answers = WAYS.flatMap(([, version]) => [`${version} build.test`, '200']);
    assert.deepEqual(stdout.trim().split('\n'), [...answers, '0'], stderr);
  });

  test('and is shown none is not reached: the client gets 502 with the reason and what to do', async () => {
    const { stdout, events } = await ask('other.test');
    const lines = stdout.split('\n');
    const told = httpEvents(events);
    for (const [index, [, version, tls]] of WAYS.entries()) {
      const { error, detail, remedy } = JSON.parse(lines[2 * index] ?? '');
      assert.deepEqual([lines[2 * index + 1], error], ['502', 'upstream_protocol'], `${version} ${tls}`);
      assert.match(detail, /origin\.test refused the TLS handshake/);
      assert.match(remedy, /--client-certificate HOST=CERT,KEY/);
      assert.match(told[index]?.status_detail ?? '', /refused the TLS handshake/);
    }
  });
});
