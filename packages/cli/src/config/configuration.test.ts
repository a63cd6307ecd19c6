import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import { scratch } from '../test/scratch.ts';
import { type Configuration, noConfiguration } from './configuration.ts';
import { loadConfiguration } from './configuration-file.ts';

interface Written {
  readonly home: string;
  readonly file: string;
  readonly load: () => Promise<Configuration>;
}

const written = (t: TestContext, text: string): Written => {
  const home = scratch(t);
  const directory = join(home, 'openshell');
  mkdirSync(directory, { mode: 0o755 });
  const file = join(directory, 'config.toml');
  writeFileSync(file, text, { mode: 0o644 });
  return { home, file, load: () => loadConfiguration({ XDG_CONFIG_HOME: home }) };
};

const refused = async ({ load }: Written, text: RegExp): Promise<void> => {
  await assert.rejects(load(), (error) => {
    assert.ok(error instanceof OpenShellError, String(error));
    assert.match(`${error.message}\n${error.remedy ?? ''}`, text);
    assert.doesNotMatch(`${error.message}\n${error.remedy ?? ''}`, /hunter2/);
    return true;
  });
};

describe('the configuration file', () => {
  test('need not exist', async (t) => {
    assert.deepEqual(await loadConfiguration({ XDG_CONFIG_HOME: scratch(t) }), noConfiguration);
    assert.deepEqual(await loadConfiguration({ XDG_CONFIG_HOME: '/dev/null' }), noConfiguration);
  });

  test('may be empty', async (t) => {
    assert.deepEqual(await written(t, '# nothing\n').load(), noConfiguration);
  });

  test('says where names live, whom to trust and how to isolate', async (t) => {
    const text = 'resolve = ["api.test:443=[::1]:8443"]\nupstream_ca = ["ca.pem"]\nruntime = "process"\n';
    const configuration = written(t, text);
    const ca = join(configuration.home, 'openshell/ca.pem');
    writeFileSync(ca, '-----BEGIN CERTIFICATE-----\n');
    assert.deepEqual(await configuration.load(), {
      ...noConfiguration,
      resolve: [{ name: 'api.test', port: 443, address: '::1', toPort: 8443 }],
      upstreamCa: [ca],
      runtime: 'process',
    });
  });

  test('says what requests are given on their way, and which way that is', async (t) => {
    const configuration = written(
      t,
      `credential = ["TOKEN@api.test=file:/key"]
credentials = "credentials.yaml"
inference_routes = "routes.yaml"
middleware = ["scan=unix:/run/scan.sock"]
client_certificate = ["*.api.test=cert.pem,key.pem"]
upstream_proxy = "http://proxy.test:3128"
upstream_proxy_auth = "key.pem"
upstream_no_proxy = ".internal"
`,
    );
    const at = (name: string): string => join(configuration.home, 'openshell', name);
    writeFileSync(at('credentials.yaml'), 'credentials: [{ name: OTHER, bindings: [{ host: b.test }] }]\n');
    writeFileSync(
      at('routes.yaml'),
      'routes: [{ name: r, models: ["*"], protocols: [openai_embeddings], base_url: "https://b.test", auth: { kind: none } }]\n',
    );
    writeFileSync(at('cert.pem'), '-----BEGIN CERTIFICATE-----\n');
    writeFileSync(at('key.pem'), '');
    const { credentials, routes, ...operator } = await configuration.load();
    assert.deepEqual(
      credentials.map(({ name, bindings }) => [name, ...bindings.map(({ host }) => host)]),
      [
        ['TOKEN', 'api.test'],
        ['OTHER', 'b.test'],
      ],
    );
    assert.deepEqual(
      routes.map(({ name }) => name),
      ['r'],
    );
    assert.deepEqual(operator, {
      resolve: [],
      upstreamCa: [],
      clientCertificates: [{ host: '*.api.test', certificate: at('cert.pem'), key: at('key.pem') }],
      middlewares: [{ name: 'scan', url: 'unix:/run/scan.sock' }],
      upstreamProxy: { url: 'http://proxy.test:3128', authFile: at('key.pem'), noProxy: '.internal' },
    });
  });

  const mistakes: readonly [what: string, text: string, message: RegExp][] = [
    ['broken TOML', 'resolve = [\n  "a"\n  "b"]\n', /config.toml:\d+:\d+: /],
    [
      'an unknown key',
      '\nresolv = []\n',
      /config.toml:2: resolv: there is no such key\nDid you mean resolve\?/,
    ],
    [
      'a key like none',
      'color = 1\n',
      /config.toml:1: color: there is no such key\nThe keys are resolve, upstream_ca, .*inference_routes, runtime/,
    ],
    ['a table', '\n\n[policy]\nx = 1\n', /config.toml:3: policy: there is no such key/],
    [
      'a text in place of a list',
      'resolve = "a=1.2.3.4"\n',
      /:1: resolve: this is not a list of texts\nWrite resolve = \["…"\]/,
    ],
    ['a list with a number', 'upstream_ca = [1]\n', /:1: upstream_ca: this is not a list of texts/],
    ['a list with an empty text', 'upstream_ca = [""]\n', /this is not a list of texts/],
    ['a bad rule', 'resolve = [\n  "a=1.2.3.4",\n  "b=c",\n]\n', /:3: resolve: 'b=c': 'c' is not an address/],
    [
      'a missing authority',
      '\nupstream_ca = ["nope.pem"]\n',
      /:2: upstream_ca: .*openshell\/nope.pem: there is no such file/,
    ],
    [
      'a credential with its value',
      '\ncredential = [\n  "A@a.test",\n  "B=hunter2-the-secret"\n]\n',
      /:4: credential is not understood/,
    ],
    [
      'a credentials file that is not there',
      'credentials = "no.yaml"\n',
      /:1: credentials: .*openshell\/no.yaml: there is no/,
    ],
    ['a list in place of a text', 'inference_routes = ["a"]\n', /:1: inference_routes: this is not text/],
    ['a bad middleware', '\n\nmiddleware = ["a"]\n', /:3: middleware: this is not a name and an address/],
    [
      'two middlewares of one name',
      'middleware = ["a=http://x", "a=http://y"]\n',
      /:1: middleware: a is given twice/,
    ],
    [
      'a bad client certificate',
      'client_certificate = ["a.test=x"]\n',
      /:1: client_certificate: 'a.test=x' is not a host and two files/,
    ],
    [
      'a password in the address of a proxy',
      '\nupstream_proxy = "http://user:hunter2-the-secret@proxy:1"\n',
      /:2: upstream_proxy: this is not the address of a proxy/,
    ],
    [
      'a password without a proxy',
      'upstream_proxy_auth = "config.toml"\n',
      /:1: upstream_proxy_auth: no proxy is given/,
    ],
    ['a runtime that is not built', 'runtime = "oci"\n', /:1: runtime: the kind 'oci'.*not built yet/],
    [
      'a runtime that is no text',
      'runtime = 1\n',
      /:1: runtime: this is not text\nWrite runtime = "process"/,
    ],
  ];
  for (const [what, text, message] of mistakes) {
    test(`is refused with ${what}`, async (t) => refused(written(t, text), message));
  }

  for (const mode of [0o664, 0o646, 0o666]) {
    test(`is refused when others can write it (mode ${mode.toString(8)})`, async (t) => {
      const configuration = written(t, '');
      chmodSync(configuration.file, mode);
      await refused(
        configuration,
        /is not used: others than its owner can write it\nRun: chmod go-w .*config.toml/,
      );
    });
  }

  test('is refused when others can write its directory, and so replace it', async (t) => {
    const configuration = written(t, '');
    chmodSync(join(configuration.home, 'openshell'), 0o777);
    await refused(configuration, /others than its owner can write it\nRun: chmod go-w .*openshell/);
  });

  test("is refused when it is another user's", {
    skip: process.geteuid?.() !== 0 && 'only root can give a file away',
  }, async (t) => {
    const configuration = written(t, '');
    chownSync(configuration.file, 65534, 65534);
    await refused(configuration, /it belongs to another user\nMake it your own/);
  });

  test('is refused when it is no file', async (t) => {
    const home = scratch(t);
    mkdirSync(join(home, 'openshell/config.toml'), { recursive: true });
    await assert.rejects(loadConfiguration({ XDG_CONFIG_HOME: home }), /it is not a regular file/);
  });

  test('is refused when it is a loop of links', async (t) => {
    const home = scratch(t);
    mkdirSync(join(home, 'openshell'), { mode: 0o755 });
    symlinkSync('config.toml', join(home, 'openshell/config.toml'));
    await assert.rejects(loadConfiguration({ XDG_CONFIG_HOME: home }), /is not used: .*ELOOP/);
  });

  test('is refused when it is larger than anybody writes', async (t) => {
    await refused(written(t, '#'.repeat(1024 * 1024 + 1)), /it is larger than 1048576 bytes/);
  });

  test('is refused when this user may not read it', {
    skip: process.geteuid?.() === 0 && 'root may read everything',
  }, async (t) => {
    const configuration = written(t, '');
    chmodSync(configuration.file, 0);
    await refused(configuration, /is not used: .*EACCES/);
  });
});
