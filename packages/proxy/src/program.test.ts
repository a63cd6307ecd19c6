import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttps } from 'node:https';
import { connect, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { LOOPBACK, portOf, readAll, readUntil } from './test-support/fixture.ts';
import { identityFor } from './test-support/identities.ts';
import { get, inFolder, Program } from './test-support/program.ts';
import { SigningAuthority } from './tls/authority.ts';

const policyFor = (host: string): string => `version: 1
network_policies:
  test:
    endpoints:
      - { host: ${host}, port: 80 }
    binaries:
      - { path: /usr/bin/nobody-has-this }
`;

describe('openshell-proxy', () => {
  test('serves a policy, takes a new one on SIGHUP, keeps the old one when the new one is bad, and stops cleanly', () =>
    inFolder(async (at) => {
      const [policy, events] = [at('policy.yaml'), at('events')];
      const origin = createServer((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
      });
      await once(origin.listen(0, LOOPBACK), 'listening');
      await writeFile(policy, policyFor('one.example'));
      const rules = ['one', 'two'].flatMap((name) => [
        '--resolve',
        `${name}.example:80=${LOOPBACK}:${portOf(origin)}`,
      ]);
      const args = [
        '--policy',
        policy,
        '--listen',
        '127.0.0.1:0',
        '--identity',
        'none',
        '--events',
        events,
        ...rules,
      ];
      using program = new Program(args);
      const port = Number((await program.said(/serving on 127\.0\.0\.1:(\d+) /))[1]);
      assert.match(await get(port, 'http://one.example/'), /^HTTP\/1.1 204 /);
      assert.match(await get(port, 'http://two.example/'), /^HTTP\/1.1 403 /);
      await program.said(/refused two\.example:80: /);

      await writeFile(policy, policyFor('two.example'));
      program.child.kill('SIGHUP');
      await program.said(/in force as generation 2/);
      assert.match(await get(port, 'http://two.example/'), /^HTTP\/1.1 204 /);

      await writeFile(policy, 'network_policies: 5\n');
      program.child.kill('SIGHUP');
      await program.said(/policy\.yaml:1:\d+: .*generation 2 stays in force/s);
      assert.match(await get(port, 'http://two.example/'), /^HTTP\/1.1 204 /);

      // With Node.js alone this would open a debugger for every user of the machine.
      program.child.kill('SIGUSR1');
      assert.match(await get(port, 'http://two.example/'), /^HTTP\/1.1 204 /);
      program.child.kill('SIGTERM');
      const { code, said } = await program.ended();
      assert.equal(code, 0);
      assert.doesNotMatch(said, /Debugger/);
      origin.close();
      const lines = (await readFile(events, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.equal(lines[0].type_uid, 600203);
      assert.equal(lines.at(-1).type_uid, 600204);
      assert.ok(lines.some((event) => event.state === 'retained_last_valid'));
      assert.ok(
        lines.some((event) => event.action === 'Denied' && event.dst_endpoint.domain === 'two.example'),
      );
    }));

  const base = ['--policy', '/nonexistent', '--listen', '127.0.0.1:0'];
  const wrong: [string, readonly string[], number, RegExp][] = [
    ['an unknown option', [...base, '--verbose'], 2, /--verbose/],
    ['a policy that is not there', base, 1, /cannot be read.*\/nonexistent/],
    ['a socket that nobody handed over', ['--listen', 'fd:proxy'], 1, /no socket fd:proxy was handed over/],
    [
      'tenants that are not there',
      ['--tenants', '/nonexistent'],
      1,
      /the tenants cannot be read.*\/nonexistent/,
    ],
  ];
  for (const [what, args, expected, message] of wrong) {
    test(`with ${what} says so and ends with ${expected}`, async () => {
      const { code, said } = await new Program(args).ended();
      assert.equal(code, expected);
      assert.match(said, message);
    });
  }

  test('opens TLS with an authority that it writes down, and takes policy and credentials anew as one generation', () =>
    inFolder(async (at) => {
      const upstream = SigningAuthority.create();
      const seen: unknown[] = [];
      await using origin = createHttps(
        identityFor(upstream, 'api.example'),
        ({ method, headers }, response) => {
          seen.push([method, headers.authorization]);
          response.end(`${method} ${headers.authorization}`);
        },
      );
      await once(origin.listen(0, LOOPBACK), 'listening');
      const inspecting = (access: string): string =>
        policyFor('api.example').replace('port: 80', `port: 443, protocol: rest, access: ${access}`);
      const credentials = (file: string): string =>
        `credentials: [{ name: TOKEN, file: ${at(file)}, bindings: [{ host: api.example }] }]\n`;
      await writeFile(at('upstream.pem'), upstream.certificatePem);
      await writeFile(at('first'), 'a-secret-of-1\n', { mode: 0o600 });
      await writeFile(at('second'), 'a-secret-of-2\n', { mode: 0o600 });
      await writeFile(at('policy.yaml'), inspecting('read-only'));
      await writeFile(at('credentials.yaml'), credentials('first'));
      using program = new Program([
        ...['--policy', at('policy.yaml'), '--listen', '127.0.0.1:0', '--identity', 'none'],
        ...[
          '--resolve',
          `api.example:443=${LOOPBACK}:${portOf(origin)}`,
          '--upstream-ca',
          at('upstream.pem'),
        ],
        ...['--ca-out', at('ca.pem'), '--credentials', at('credentials.yaml'), '--events', at('events')],
      ]);
      const port = Number((await program.said(/serving on 127\.0\.0\.1:(\d+) /))[1]);
      const [, placeholder] = await program.said(/programs use TOKEN=(\S+)/);
      const ca = await readFile(at('ca.pem'), 'utf8');
      const ask = (method: string) =>
        askThrough({ port, ca, method, authorization: `Bearer ${placeholder}` });
      // What comes back has the placeholder again in the place of the value.
      assert.match(await ask('GET'), new RegExp(`^HTTP/1\\.1 200 .*GET Bearer ${placeholder}\\r\\n`, 's'));
      assert.match(await ask('POST'), /^HTTP\/1\.1 403 .*"error":"policy_denied"/s);

      // In this order, since what is watched may be read in between.
      await writeFile(at('credentials.yaml'), 'credentials: 5\n');
      await writeFile(at('policy.yaml'), inspecting('full'));
      program.child.kill('SIGHUP');
      await program.said(/credentials\.yaml:1:\d+: .*generation 1 stays in force/s);
      assert.match(await ask('POST'), /^HTTP\/1\.1 403 /);

      await writeFile(at('credentials.yaml'), credentials('second'));
      program.child.kill('SIGHUP');
      await program.said(/in force as generation 2/);
      assert.match(await ask('POST'), /^HTTP\/1\.1 200 /);

      program.child.kill('SIGTERM');
      const { code, said } = await program.ended();
      assert.equal(code, 0);
      assert.deepEqual(seen, [
        ['GET', 'Bearer a-secret-of-1'],
        ['POST', 'Bearer a-secret-of-2'],
      ]);
      assert.doesNotMatch(said + (await readFile(at('events'), 'utf8')), /a-secret-of/);
    }));

  test('does not start with what it could not serve', () =>
    inFolder(async (at) => {
      await writeFile(at('policy.yaml'), policyFor('one.example'));
      await writeFile(at('credentials.yaml'), 'credentials: [{ name: TOKEN, env: NOT_SET_ANYWHERE }]\n');
      await writeFile(at('ca.pem'), SigningAuthority.create().certificatePem);
      const started = ['--policy', at('policy.yaml'), '--listen', '127.0.0.1:0', '--identity', 'none'];
      const cases: readonly [more: readonly string[], code: number, message: RegExp][] = [
        [['--credentials', at('credentials.yaml')], 1, /TOKEN/],
        [['--credentials', at('nothing')], 1, /the credentials cannot be read: .*nothing/],
        [['--ca-cert', at('ca.pem'), '--ca-key', at('ca.pem')], 1, /its key cannot be read/],
        [['--ca-out', at('no/such/folder')], 1, /cannot write the authority's certificate/],
      ];
      for (const [more, expected, message] of cases) {
        const { code, said } = await new Program([...started, ...more]).ended();
        assert.match(said, message);
        assert.equal(code, expected);
      }
    }));
});

/** One request to api.example through a tunnel, over TLS; the whole answer. */
async function askThrough(options: {
  readonly port: number;
  readonly ca: string;
  readonly method: string;
  readonly authorization: string;
}): Promise<string> {
  const { port, ca, method, authorization } = options;
  const socket = connect({ host: LOOPBACK, port });
  socket.write('CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n');
  await readUntil(socket, '\r\n\r\n');
  const tls = connectTls({ socket, ca, servername: 'api.example', ALPNProtocols: ['http/1.1'] });
  tls.write(
    `${method} / HTTP/1.1\r\nHost: api.example\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  return String(await readAll(tls));
}
