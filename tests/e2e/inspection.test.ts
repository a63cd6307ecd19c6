import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Network } from './network-fixture.ts';

let network: Network;
before(async () => {
  network = await Network.start();
});
after(() => network?.[Symbol.asyncDispose]());

const SECRET = 'the-value-that-must-stay-outside';
const curl = (...args: string[]): string[] => ['curl', '-sS', '--max-time', '10', ...args];

/** Requests to the HTTPS origin that only read. */
const reading = () => ({
  endpoints: [
    {
      host: 'origin.test',
      port: network.https.port,
      protocol: 'rest',
      access: 'read-only',
      enforcement: 'enforce',
    },
  ],
  binaries: ['/usr/bin/curl'],
});
const url = (path: string): string => `https://origin.test:${network.https.port}${path}`;

describe('a policy that looks into requests', { concurrency: 2 }, () => {
  for (const version of ['--http1.1', '--http2']) {
    test(`lets curl ${version} read and tells it why it may not write`, async () => {
      const events = network.scratch.join(`events${version}`);
      const { stdout, stderr, code } = await network.run(
        curl(version, url('/a'), '--next', '-sS', version, '-d', 'x', '-w', '\n%{http_code}', url('/b')),
        { policy: reading(), options: ['--events', events] },
      );
      assert.equal(code, 0, stderr);
      const [answer, body, status] = stdout.split(/\n+/);
      assert.equal(answer, 'origin GET /a');
      assert.equal(status, '403');
      const refused = JSON.parse(body ?? '');
      assert.deepEqual(
        [refused.error, refused.layer, refused.method, refused.path, refused.binary],
        ['policy_denied', 'l7', 'POST', '/b', '/usr/bin/curl'],
      );
      assert.match(refused.remedy, /read-write/);
      assert.match(stderr, /refused curl .*POST \/b/);
      const statuses = readFileSync(events, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ class_uid }) => class_uid === 4002)
        .map(({ http_request, http_response }) => [http_request.http_method, http_response?.code]);
      assert.deepEqual(statuses, [
        ['GET', 200],
        ['POST', 403],
      ]);
    });
  }

  test('shows programs the authority alone, with the operator’s, and with the system’s', async () => {
    const script =
      'cd /run/openshell/tls; grep -c BEGIN openshell-ca.pem extra-ca.pem; test $(grep -c BEGIN ca-bundle.pem) -gt 2; echo $?; echo "$SSL_CERT_FILE $NODE_EXTRA_CA_CERTS"';
    const { stdout } = await network.run(['sh', '-c', script], { policy: reading() });
    assert.equal(
      stdout,
      'openshell-ca.pem:1\nextra-ca.pem:2\n0\n/run/openshell/tls/ca-bundle.pem /run/openshell/tls/extra-ca.pem\n',
    );
  });

  test('makes no authority where nothing is opened', async () => {
    const { stdout } = await network.run(['ls', '/run/openshell/tls'], {
      policy: { binaries: ['/usr/bin/curl'] },
    });
    assert.equal(stdout, 'ca-bundle.pem\nextra-ca.pem\n');
  });
});

describe('a credential', { concurrency: 2 }, () => {
  const option = () => ['--credential', `TOKEN@origin.test:${network.https.port}`];

  test('is used by the command, which cannot find its value anywhere', async () => {
    const events = network.scratch.join('events-credential');
    const script = `curl -sS --max-time 10 -H "Authorization: Bearer $TOKEN" ${url('/secret')}
echo "$TOKEN"
cat /proc/*/environ /proc/*/cmdline /run/openshell/*/* 2>/dev/null | tr '\\0' '\\n' | grep -c '[t]he-value-that-must-stay'`;
    const policy = { ...reading(), binaries: ['/usr/bin/curl'] };
    const { stdout, stderr } = await network.run(['sh'], {
      policy,
      input: script,
      env: { TOKEN: SECRET },
      options: [...option(), '--events', events],
    });
    // The origin answers with the line and the path only; that it saw the value is in its own tests of the proxy.
    assert.equal(stdout, 'origin GET /secret\nopenshell:resolve:env:TOKEN\n0\n', stderr);
    assert.ok(!(stderr + readFileSync(events, 'utf8')).includes(SECRET));
  });

  const refused: readonly [
    what: string,
    options: () => string[],
    env: Record<string, string>,
    message: RegExp,
  ][] = [
    ['whose variable is not set', option, {}, /TOKEN is not set/],
    [
      'that is bound to nothing',
      () => ['--credential', 'TOKEN'],
      { TOKEN: SECRET },
      /TOKEN is bound to nothing/,
    ],
    [
      'whose value stands on the command line',
      () => ['--credential', `TOKEN=${SECRET}`],
      {},
      /A value itself is not accepted/,
    ],
    [
      'that is given with --env too',
      () => [...option(), '--env', 'TOKEN'],
      { TOKEN: SECRET },
      /with --env too/,
    ],
  ];
  for (const [what, options, env, message] of refused) {
    test(`${what} starts nothing`, async () => {
      const { code, stdout, stderr } = await network.run(['echo', 'started'], {
        policy: reading(),
        options: options(),
        env,
      });
      assert.match(stderr, message);
      assert.ok(!stderr.includes(SECRET));
      assert.deepEqual([code, stdout], [125, '']);
    });
  }

  test('of the configuration file is there for runs whose policy binds it, and for no others', async () => {
    const home = network.scratch.join('home');
    mkdirSync(`${home}/openshell`, { recursive: true, mode: 0o755 });
    writeFileSync(`${home}/openshell/config.toml`, 'credential = ["TOKEN"]\n', { mode: 0o644 });
    const env = { TOKEN: SECRET, XDG_CONFIG_HOME: home };
    const bound = reading();
    const endpoints = bound.endpoints.map((endpoint) => ({
      ...endpoint,
      credential_binding: { provider: 'TOKEN' },
    }));
    const print = ['sh', '-c', 'echo "[$TOKEN]"'];
    const [without, withBinding] = await Promise.all([
      network.run(print, { policy: bound, env }),
      network.run(print, { policy: { ...bound, endpoints }, env }),
    ]);
    assert.deepEqual(
      [without.stdout, withBinding.stdout],
      ['[]\n', '[openshell:resolve:env:TOKEN]\n'],
      without.stderr + withBinding.stderr,
    );
  });
});
