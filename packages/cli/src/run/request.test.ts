import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import type { RunOptions } from '@openshell/sandbox';
import type { Arguments } from '../command/arguments.ts';
import { parseArguments } from '../command/parse.ts';
import { run } from '../command/table/run.ts';
import { type Configuration, noConfiguration } from '../config/configuration.ts';
import { expectRejection } from '../test/expect-error.ts';
import { scratch } from '../test/scratch.ts';
import { runRequest } from './request.ts';

const certificate = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';

const request = (
  words: readonly string[],
  {
    configuration = noConfiguration,
    env = {},
  }: { configuration?: Configuration; env?: Record<string, string> } = {},
): Promise<RunOptions> => runRequest(parseArguments(run, words) as Arguments, configuration, env);

test('a bare command runs here, in the default runtime, with nothing else', async () => {
  assert.deepEqual(await request(['ls', '-l']), {
    command: ['ls', '-l'],
    workdir: process.cwd(),
    env: [],
    runtime: 'process',
    operator: { resolve: [], upstreamCa: [], clientCertificates: [], middlewares: [] },
    grants: { credentials: [], offered: [], routes: [] },
    quiet: false,
  });
});

test('every option arrives in the request', async (t) => {
  const directory = scratch(t);
  const [policy, ca, work] = ['p.yaml', 'ca.pem', 'work'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(policy, '');
  writeFileSync(ca, certificate);
  mkdirSync(work);
  symlinkSync(work, join(directory, 'link'));
  const words = [
    '--policy',
    policy,
    '--workdir',
    join(directory, 'link'),
    '--env',
    'A=b=c',
    '--env',
    'EMPTY=',
    '--env',
    'HERE',
  ];
  const more = [
    '--timeout',
    '1.5',
    '--events',
    join(directory, 'e.jsonl'),
    '--runtime',
    'process',
    '--resolve',
    'a=1.2.3.4',
  ];
  const got = await request([...words, ...more, '--upstream-ca', ca, '--quiet', '--', 'x'], {
    env: { HERE: 'value' },
  });
  assert.deepEqual(got, {
    command: ['x'],
    policy: { file: policy },
    workdir: work,
    env: [
      { name: 'A', value: 'b=c' },
      { name: 'EMPTY', value: '' },
      { name: 'HERE', value: 'value' },
    ],
    timeoutSeconds: 1.5,
    events: { kind: 'file', path: join(directory, 'e.jsonl') },
    runtime: 'process',
    operator: {
      resolve: [{ name: 'a', address: '1.2.3.4' }],
      upstreamCa: [ca],
      clientCertificates: [],
      middlewares: [],
    },
    grants: { credentials: [], offered: [], routes: [] },
    quiet: true,
  });
});

test('events can go to standard output', async () => {
  assert.deepEqual((await request(['--events', '-', 'x'])).events, { kind: 'stdout' });
});

test('the command line adds to the configuration, and comes first', async (t) => {
  const ca = join(scratch(t), 'ca.pem');
  writeFileSync(ca, certificate);
  const configuration: Configuration = {
    ...noConfiguration,
    resolve: [{ name: 'a', address: '1.1.1.1' }],
    upstreamCa: ['/configured.pem'],
    runtime: 'process',
  };
  const { operator } = await request(['--resolve', 'a=2.2.2.2', '--upstream-ca', ca, 'x'], { configuration });
  assert.deepEqual(
    operator.resolve.map(({ address }) => address),
    ['2.2.2.2', '1.1.1.1'],
  );
  assert.deepEqual(operator.upstreamCa, [ca, '/configured.pem']);
});

test('a credential of the command line takes the place of one of its name in the file', async () => {
  const of = (name: string, host: string) => ({
    name,
    source: { kind: 'env', variable: name } as const,
    bindings: [{ host }],
  });
  const configuration = { ...noConfiguration, credentials: [of('A', 'old.test'), of('B', 'b.test')] };
  const { grants } = await request(['--credential', 'A@new.test', 'x'], { configuration });
  assert.deepEqual(grants, {
    credentials: [of('A', 'new.test')],
    offered: [of('B', 'b.test')],
    routes: [],
  });
});

test('the proxy of the command line takes nothing of the one in the file', async () => {
  const configuration = {
    ...noConfiguration,
    upstreamProxy: { url: 'http://one.test:1', authFile: '/password', noProxy: 'a.test' },
  };
  const { operator } = await request(['--upstream-proxy', 'http://two.test:2', 'x'], { configuration });
  assert.deepEqual(operator.upstreamProxy, { url: 'http://two.test:2' });
  assert.equal((await request(['x'], { configuration })).operator.upstreamProxy, configuration.upstreamProxy);
});

describe('the kind of isolation', () => {
  test('is taken from the option before the variable', async () => {
    assert.equal(
      (await request(['--runtime', 'process', 'x'], { env: { OPENSHELL_RUNTIME: 'oci' } })).runtime,
      'process',
    );
  });

  test('is not taken from an empty variable', async () => {
    assert.equal((await request(['x'], { env: { OPENSHELL_RUNTIME: '' } })).runtime, 'process');
  });

  const mistakes: readonly [words: string[], env: Record<string, string>, message: RegExp][] = [
    [
      ['--runtime', 'oci', 'x'],
      {},
      /--runtime: the kind 'oci' \(OCI runtimes.*\) is not built yet\nUse process/,
    ],
    [['--runtime', 'boxlite', 'x'], {}, /'boxlite' \(virtual machines.*not built yet/],
    [['--runtime', 'docker', 'x'], {}, /there is no kind of isolation 'docker'\nUse process/],
    [['--runtime', 'constructor', 'x'], {}, /there is no kind of isolation 'constructor'/],
    [['x'], { OPENSHELL_RUNTIME: 'oci' }, /OPENSHELL_RUNTIME: the kind 'oci'/],
    [['x'], { OPENSHELL_RUNTIME: 'Process' }, /OPENSHELL_RUNTIME: there is no kind of isolation 'Process'/],
  ];
  for (const [words, env, message] of mistakes) {
    test(`is refused: ${words.join(' ')} ${JSON.stringify(env)}`, () =>
      expectRejection(request(words, { env }), message));
  }
});

describe('a value that cannot be meant', () => {
  const seconds = ['0', '-1', '0.0001', '1e3', '5m', 'NaN', '99999999', ' 1', '1.', '.5', '0x10'];
  for (const text of seconds) {
    test(`is refused as a number of seconds: '${text}'`, () =>
      expectRejection(
        request([`--timeout=${text}`, 'x']),
        /--timeout: '.*' is not a number of seconds from 0.001 to 2147483\nWrite/,
      ));
  }

  const environments: readonly [words: string[], message: RegExp][] = [
    [['--env', '=x'], /--env: '' is not the name of a variable/],
    [['--env', '1A=x'], /'1A' is not the name of a variable\nNames have letters/],
    [['--env', 'A B=x'], /'A B' is not the name/],
    [['--env', 'UNSET'], /--env UNSET: UNSET is not set here\nSet it, or write --env UNSET=VALUE/],
    [['--env', 'A=1', '--env', 'A=2'], /--env A is given twice/],
  ];
  for (const [words, message] of environments) {
    test(`is refused as a variable: ${words.join(' ')}`, () =>
      expectRejection(request([...words, 'x']), message));
  }

  for (const words of [
    ['--env', '1A=secret'],
    ['--credential', 'A=secret'],
    ['--credential', 'A@a.test=secret'],
    ['--upstream-proxy', 'http://u:secret@proxy:1'],
    ['--middleware', 'a=ftp://u:secret@b'],
  ]) {
    test(`does not appear in the message when it may be a secret: ${words.join(' ')}`, () =>
      assert.rejects(request([...words, 'x']), (error) => {
        assert.ok(error instanceof OpenShellError, String(error));
        assert.doesNotMatch(`${error.message} ${error.remedy}`, /secret/);
        return true;
      }));
  }

  const files: readonly [what: string, words: (directory: string) => string[], message: RegExp][] = [
    [
      'a policy that is not there',
      (d) => ['--policy', `${d}/nope.yaml`],
      /--policy: .*nope.yaml: there is no such file/,
    ],
    ['a policy that is a directory', (d) => ['--policy', d], /--policy: .* is a directory/],
    ['a policy below a file', (d) => ['--policy', `${d}/file/x`], /a part of the path is not a directory/],
    ['a policy that is a loop', (d) => ['--policy', `${d}/loop`], /goes round in symbolic links/],
    ['a name that is too long', () => ['--policy', 'x'.repeat(300)], /the path is too long/],
    [
      'a working directory that is not there',
      (d) => ['--workdir', `${d}/nope`],
      /--workdir: .*nope: there is no such/,
    ],
    [
      'a working directory that is a file',
      (d) => ['--workdir', `${d}/file`],
      /--workdir: .*file is not a directory/,
    ],
    ['events to a directory', (d) => ['--events', d], /--events: .* is a directory/],
    [
      'events below what is not there',
      (d) => ['--events', `${d}/nope/e`],
      /--events: .*nope: there is no such/,
    ],
    [
      'events below a file',
      (d) => ['--events', `${d}/file/e`],
      /--events: .*file\/e cannot be written: .*file is not a directory/,
    ],
    [
      'an authority that is not there',
      (d) => ['--upstream-ca', `${d}/nope.pem`],
      /--upstream-ca: .*nope.pem: there is no/,
    ],
    [
      'an authority without a certificate',
      (d) => ['--upstream-ca', `${d}/file`],
      /has no certificate in PEM form/,
    ],
  ];
  for (const [what, words, message] of files) {
    test(`is refused as a file: ${what}`, (t) => {
      const directory = prepared(t);
      return expectRejection(request([...words(directory), 'x']), message);
    });
  }

  test('is refused as a file: one that this user may not read or write', {
    skip: process.geteuid?.() === 0 && 'root may read everything',
  }, async (t) => {
    const directory = prepared(t);
    writeFileSync(join(directory, 'secret'), '', { mode: 0 });
    await expectRejection(request(['--policy', join(directory, 'secret'), 'x']), /this user may not read it/);
    await expectRejection(request(['--events', '/proc/version', 'x']), /this user may not write there/);
  });
});

test('a current directory that was removed is named', async (t) => {
  const before = process.cwd();
  const directory = join(scratch(t), 'gone');
  mkdirSync(directory);
  process.chdir(directory);
  t.after(() => process.chdir(before));
  rmSync(directory, { recursive: true });
  await expectRejection(request(['x']), /the current directory has been removed\nChange to another/);
});

const prepared = (t: TestContext): string => {
  const directory = scratch(t);
  writeFileSync(join(directory, 'file'), 'no certificate');
  symlinkSync('loop', join(directory, 'loop'));
  return directory;
};
