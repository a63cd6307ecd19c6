import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { openshell, runScript } from '../support/openshell.ts';
import { NODE_DIRECTORY, needsProgram } from '../support/paths.ts';
import { Network, WITHOUT_PROXY } from './network-fixture.ts';

let network: Network;
before(async () => {
  network = await Network.start();
});
after(() => network?.[Symbol.asyncDispose]());

const CURL = { binaries: ['/usr/bin/curl'] };
const NODE = { binaries: [process.execPath], readOnly: [NODE_DIRECTORY] };
const curl = (...args: string[]): string[] => ['curl', '-sS', '--max-time', '10', ...args];
const fetching = (url: string): string[] => [
  process.execPath,
  '-e',
  `fetch(${JSON.stringify(url)}).then(async (r) => console.log(r.status, (await r.text()).trim()), (e) => console.log('failed', e.cause?.code ?? e.message))`,
];

describe('a program that uses the proxy', { concurrency: 4 }, () => {
  test('reaches what the policy names, over HTTPS and HTTP', async () => {
    const urls = [`https://origin.test:${network.https.port}/a`, `http://origin.test:${network.http.port}/b`];
    const { stdout, stderr, code } = await network.run(curl(...urls), { policy: CURL });
    assert.deepEqual(
      { stdout, stderr, code },
      { stdout: 'origin GET /a\norigin GET /b\n', stderr: '', code: 0 },
    );
  });

  test('is told by a 403 with a JSON body what was refused and what would allow it: another host', async () => {
    const url = `http://elsewhere.test:${network.http.port}/`;
    const { stdout, stderr } = await network.run(curl('-w', '\n%{http_code}', url), { policy: CURL });
    const [body, status] = stdout.split(/\n(?=\d+$)/);
    assert.equal(status, '403');
    const { error, host, port, binary, remedy } = JSON.parse(body ?? '');
    assert.deepEqual(
      { error, host, port, binary },
      { error: 'policy_denied', host: 'elsewhere.test', port: network.http.port, binary: '/usr/bin/curl' },
    );
    assert.match(remedy, /elsewhere\.test/);
    assert.match(stderr, /elsewhere\.test/);
    assert.match(stderr, /curl/);
  });

  test('is refused another port of the same host', async () => {
    const { stdout } = await network.run(
      curl('-o', '/dev/null', '-w', '%{http_connect}', 'https://origin.test:1/'),
      { policy: CURL },
    );
    assert.equal(stdout, '403');
  });

  test('is refused when the policy names another binary', async () => {
    const url = `https://origin.test:${network.https.port}/`;
    const { stdout, stderr } = await network.run(curl('-o', '/dev/null', '-w', '%{http_connect}', url), {
      policy: { binaries: ['/usr/bin/wget'] },
    });
    assert.equal(stdout, '403');
    assert.match(stderr, /\/usr\/bin\/curl/);
  });

  test('is refused in one line on stderr, and a second that counts the others', async () => {
    const script = 'for i in 1 2 3 4 5; do curl -s -o /dev/null http://elsewhere.test/; done';
    const { stderr } = await network.run(['sh', '-c', script], { policy: CURL });
    const [first, more, ...others] = stderr.trim().split('\n');
    assert.match(first ?? '', /^openshell: refused curl .*elsewhere\.test:80: .*Add to network_policies/);
    assert.match(more ?? '', /elsewhere\.test:80 .*4 more/);
    assert.deepEqual(others, []);
  });

  test('says nothing on stderr with --quiet', async () => {
    const { stderr } = await network.run(['sh', '-c', 'curl -s -o /dev/null http://elsewhere.test/'], {
      policy: CURL,
      options: ['--quiet'],
    });
    assert.equal(stderr, '');
  });

  test('may be Node.js with the proxy variables', async () => {
    const allowed = await network.run(fetching(`https://origin.test:${network.https.port}/n`), {
      policy: NODE,
    });
    assert.equal(allowed.stdout, '200 origin GET /n\n', allowed.stderr);
    const refused = await network.run(fetching(`https://elsewhere.test:${network.https.port}/n`), {
      policy: NODE,
    });
    assert.match(refused.stdout, /^failed/);
  });

  test('trusts an origin only with the authority that the operator named', async () => {
    const url = `https://origin.test:${network.https.port}/`;
    const file = network.policy({ endpoints: network.endpoints, ...CURL });
    const { code, stderr } = await openshell([
      'run',
      '--policy',
      file,
      '--resolve',
      'origin.test=127.0.0.1',
      '--',
      ...curl(url),
    ]);
    assert.equal(code, 60, stderr);
  });
});

describe('a program that knows of no proxy', { concurrency: 4 }, () => {
  const request = (host: string): string =>
    `GET /captured HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

  for (const address of ['203.0.113.7', '2001:db8::7']) {
    test(`is captured at ${address} and held to the name that it asks for`, async () => {
      const { port } = network.http;
      const policy = { binaries: [network.dial] };
      const allowed = await network.run(
        [network.dial, address, String(port), request(`origin.test:${port}`)],
        { policy },
      );
      assert.match(allowed.stdout, /^HTTP\/1\.1 200 [\s\S]*origin GET \/captured\n/, allowed.stderr);
      const refused = await network.run([network.dial, address, String(port), request('elsewhere.test')], {
        policy,
      });
      assert.match(refused.stdout, /^HTTP\/1\.1 403 /);
      assert.match(refused.stderr, /elsewhere\.test/);
    });
  }

  test('is refused when the policy names another binary', async () => {
    const { port } = network.http;
    const { stdout } = await network.run(
      [network.dial, '203.0.113.7', String(port), request(`origin.test:${port}`)],
      { policy: CURL },
    );
    assert.match(stdout, /^HTTP\/1\.1 403 /);
  });

  test('may be curl or Node.js without the proxy variables', async () => {
    const { port } = network.https;
    const policy = { binaries: ['/usr/bin/curl', process.execPath], readOnly: [NODE_DIRECTORY] };
    const url = `https://origin.test:${port}/w`;
    const [byCurl, byNode] = await Promise.all([
      network.run([...WITHOUT_PROXY, ...curl(url)], { policy }),
      network.run([...WITHOUT_PROXY, ...fetching(url)], { policy }),
    ]);
    assert.equal(byCurl.stdout, 'origin GET /w\n', byCurl.stderr);
    assert.equal(byNode.stdout, '200 origin GET /w\n', byNode.stderr);
  });

  test('may speak a protocol in which the server speaks first', {
    skip: needsProgram('python3'),
  }, async () => {
    const program = `
import socket, sys
with socket.create_connection(('origin.test', int(sys.argv[1])), timeout=10) as s:
    f = s.makefile('rw')
    print(f.readline().strip())
    f.write('hello\\n'); f.flush()
    print(f.readline().strip())`;
    const { stdout, stderr } = await network.run(
      ['/usr/bin/python3', '-c', program, String(network.greeting.port)],
      { policy: { binaries: ['/usr/bin/python3'] } },
    );
    assert.equal(stdout, 'greetings\nHELLO\n', stderr);
  });

  test('may be nc', { skip: needsProgram('nc') }, async () => {
    const script = `printf 'hello\\n' | nc -w 2 origin.test ${network.greeting.port}`;
    const { stdout, stderr } = await network.run(['sh', '-c', script], {
      policy: { binaries: [realpathSync('/usr/bin/nc')] },
    });
    assert.match(stdout, /^greetings\n/, stderr);
  });

  test('finds no name that the policy does not have', { skip: needsProgram('python3') }, async () => {
    const program = `
import socket
for name in ('origin.test', 'elsewhere.test', 'data.that.leaks.example.com'):
    try: print(name, socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)[0][4][0].split('.')[0])
    except socket.gaierror as e: print(name, 'unknown')`;
    const { stdout } = await network.run(['/usr/bin/python3', '-c', program], { policy: CURL });
    assert.equal(stdout, 'origin.test 198\nelsewhere.test unknown\ndata.that.leaks.example.com unknown\n');
  });
});

describe('without a policy', { concurrency: 4 }, () => {
  /** In milliseconds: what counts as at once, on a busy machine. */
  const AT_ONCE = 1000;

  const attempts: readonly [what: string, command: (dial: string) => string, expected: RegExp][] = [
    ['the proxy', () => 'curl -s -o /dev/null -w "%{http_connect}" https://example.com; true', /^403/],
    ['a name', () => `curl -sS --noproxy '*' https://example.com 2>&1; true`, /Could not resolve host/],
    [
      'an IPv4 address',
      (dial) => `${dial} 93.184.216.34 80 'GET / HTTP/1.0\r\n\r\n'; true`,
      /^HTTP\/1\.[01] 403|^error ECONN/,
    ],
    [
      'an IPv6 address',
      (dial) => `${dial} 2606:4700::1111 80 'GET / HTTP/1.0\r\n\r\n'; true`,
      /^HTTP\/1\.[01] 403|^error ECONN/,
    ],
    ['UDP over IPv4', (dial) => `${dial} -u 8.8.8.8 123 x; true`, /^error ECONNREFUSED/],
    ['UDP over IPv6', (dial) => `${dial} -u 2001:4860:4860::8888 443 x; true`, /^error ECONNREFUSED/],
  ];
  for (const [what, command, expected] of attempts) {
    test(`${what} is refused at once`, async () => {
      const script = `start=$(date +%s%N); ${command(network.dial)}; echo " took $(( ($(date +%s%N) - start) / 1000000 ))"`;
      const { stdout, stderr } = await runScript(script, { cwd: network.scratch.path, options: ['--quiet'] });
      assert.match(stdout, expected, stderr);
      assert.ok(Number(/took (\d+)/.exec(stdout)?.[1]) < AT_ONCE, stdout);
    });
  }
});
