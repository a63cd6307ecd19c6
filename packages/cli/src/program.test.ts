import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { checkout, program, runInProcess, runProgram } from './test/program.ts';
import { scratch } from './test/scratch.ts';

const policy = `version: 1
network_policies:
  npm:
    endpoints:
      - { host: registry.npmjs.org, port: 443 }
      - { host: "*.example.com", port: 443, tls: skip }
      - { host: db.internal, port: 5432, allowed_ips: ["10.1.2.0/24"] }
    binaries: [{ path: /usr/bin/node }]
`;
const inspected = policy.replace('port: 443 }', 'port: 443, protocol: rest, access: full }');
const broken = policy.replace('host: registry', 'hots: registry');

const write = (t: TestContext, text: string): string => {
  const file = join(scratch(t), 'policy.yaml');
  writeFileSync(file, text);
  return file;
};

describe('openshell', () => {
  const { version } = JSON.parse(readFileSync(join(checkout, 'packages/cli/package.json'), 'utf8'));

  for (const word of ['--version', '-V', 'version']) {
    test(`says its version: ${word}`, async () => {
      assert.deepEqual(await runProgram([word]), { code: 0, out: `openshell ${version}\n`, err: '' });
    });
  }

  test('is found through symbolic links, relative ones, and without a directory', async (t) => {
    const directory = scratch(t);
    symlinkSync(program, join(directory, 'absolute'));
    symlinkSync('absolute', join(directory, 'relative'));
    mkdirSync(join(directory, 'sub'));
    symlinkSync(join(checkout, 'bin'), join(directory, 'linked'));
    for (const file of [
      join(directory, 'relative'),
      './relative',
      join(directory, 'sub/../absolute'),
      'linked/openshell',
    ]) {
      assert.equal((await runProgram(['version'], { file, directory })).out, `openshell ${version}\n`, file);
    }
    const fromBin = await runProgram(['openshell', 'version'], {
      file: 'sh',
      directory: join(checkout, 'bin'),
    });
    assert.equal(fromBin.out, `openshell ${version}\n`);
  });

  for (const words of [
    ['--help'],
    ['-h'],
    ['help'],
    ['help', 'run'],
    ['run', '--help'],
    ['policy', '--help'],
    ['help', 'policy'],
  ]) {
    test(`explains itself on standard output: ${words.join(' ')}`, async () => {
      const { code, out, err } = await runInProcess(words);
      assert.deepEqual({ code, err }, { code: 0, err: '' });
      assert.match(out, /openshell/);
      assert.doesNotMatch(out, /\x1b/);
    });
  }

  for (const words of [[], ['policy']]) {
    test(`explains itself on standard error when something is missing: openshell ${words.join(' ')}`, async () => {
      const { code, out, err } = await runInProcess(words);
      assert.deepEqual({ code, out }, { code: 2, out: '' });
      assert.match(err, /Commands\n/);
    });
  }

  const mistakes: readonly [words: string[], message: RegExp][] = [
    [['runn'], /^openshell: there is no command 'runn'\n {2}Did you mean 'openshell run'\?\n$/],
    [['polcy', 'check', 'x'], /Did you mean 'openshell policy check'\?/],
    [['polcy'], /Did you mean 'openshell policy'\?/],
    [['deploy'], /there is no command 'deploy'\n {2}'openshell --help' lists the commands/],
    [['--nonsense'], /there is no option --nonsense/],
    [['\x1b[2J'], /there is no command '\\u001b\[2J'/],
    [['help', 'nonsense'], /there is no command 'nonsense'/],
    [['doctor', 'x'], /takes no operand, and has 'x'/],
    [['completion'], /'openshell completion' needs a SHELL/],
    [['completion', 'tcsh'], /no completion for the shell 'tcsh'\n {2}There is one for bash, zsh, fish/],
    [['completion', 'fissh'], /Did you mean fish\?/],
    [['policy', 'explain', 'x', '--host', 'a', '--port', '1'], /needs --binary PATH/],
  ];
  for (const [words, message] of mistakes) {
    test(`refuses with exit code 2: ${JSON.stringify(words)}`, async () => {
      const { code, out, err } = await runInProcess(words);
      assert.deepEqual({ code, out }, { code: 2, out: '' });
      assert.match(err, message);
    });
  }

  test('ends quietly when its reader has gone', async () => {
    const child = spawn(program, ['run', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const chunks: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = await once(child, 'close');
    assert.deepEqual([code, Buffer.concat(chunks).toString()], [141, '']);
  });

  for (const shell of ['bash', 'zsh', 'fish']) {
    test(`prints a completion script: ${shell}`, async () => {
      const { code, out } = await runInProcess(['completion', shell]);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`${shell} completion for openshell`));
    });
  }
});

describe('openshell run refuses with exit code 125', () => {
  test('as a process', async () => {
    const { code, out, err } = await runProgram(['run', '--timeout', '5m', 'true']);
    assert.deepEqual({ code, out }, { code: 125, out: '' });
    assert.match(err, /^openshell: --timeout: '5m' is not a number of seconds/);
  });

  const mistakes: readonly [words: string[], env: Record<string, string>, message: RegExp][] = [
    [[], {}, /no command to run/],
    [['--polcy', 'x', 'true'], {}, /has no option --polcy\n {2}Did you mean --policy\?/],
    [['--policy', '/nope.yaml', '--', 'true'], {}, /--policy: \/nope.yaml: there is no such file/],
    [['--runtime', 'oci', 'true'], {}, /--runtime: the kind 'oci' .* is not built yet/],
    [
      ['true'],
      { OPENSHELL_RUNTIME: 'nonsense' },
      /OPENSHELL_RUNTIME: there is no kind of isolation 'nonsense'/,
    ],
    [['--env', 'NOT_SET_HERE', 'true'], {}, /NOT_SET_HERE is not set here/],
    [['--resolve', 'a=::1', 'true'], {}, /an IPv6 address stands in brackets/],
  ];
  for (const [words, env, message] of mistakes) {
    test(JSON.stringify([...words, env]), async () => {
      const { code, out, err } = await runInProcess(['run', ...words], env);
      assert.deepEqual({ code, out }, { code: 125, out: '' });
      assert.match(err, message);
    });
  }

  test('a configuration that others can write, before anything else', async (t) => {
    const home = scratch(t);
    mkdirSync(join(home, 'openshell'), { mode: 0o755 });
    writeFileSync(join(home, 'openshell/config.toml'), '');
    chmodSync(join(home, 'openshell/config.toml'), 0o666);
    const { code, err } = await runInProcess(['run', 'true'], { XDG_CONFIG_HOME: home });
    assert.equal(code, 125);
    assert.match(err, /config.toml is not used: others than its owner can write it/);
  });
});

describe('openshell policy check', () => {
  test('accepts a valid file', async (t) => {
    const file = write(t, policy);
    assert.deepEqual(await runInProcess(['policy', 'check', file]), {
      code: 0,
      out: `${file}: valid\n`,
      err: '',
    });
  });

  test('shows the place, the line and the fix of a problem, and exits with 1', async (t) => {
    const file = write(t, broken);
    const { code, out, err } = await runInProcess(['policy', 'check', file]);
    assert.deepEqual({ code, err }, { code: 1, err: '' });
    assert.match(out, new RegExp(`^${file}:5:11: error: .*hots`));
    assert.match(
      out,
      /\n {4}5 \| {7}- \{ hots: registry.npmjs.org, port: 443 \}\n {6}\| {11}\^\n {2}fix: .*host/,
    );
    assert.match(out, /\n.*policy.yaml: \d problems?\n$/);
  });

  test('says of a valid file what is inspected, and where it is treated more strictly', async (t) => {
    const { code, out } = await runInProcess(['policy', 'check', write(t, inspected)]);
    assert.equal(code, 0);
    assert.match(out, /:5:\d+: notice: /);
    assert.match(
      out,
      /valid, 1 notice; connections are opened and requests inspected for:\n .*:5:\d+: network_policies.npm.endpoints\[0\].protocol: requests .*\n$/,
    );
  });

  test('reads standard input and prints JSON', async () => {
    const { code, out } = await runProgram(['policy', 'check', '--json', '-'], { input: broken });
    const { files } = JSON.parse(out);
    assert.equal(code, 1);
    assert.deepEqual([files[0].file, files[0].ok], ['<stdin>', false]);
    const [problem] = files[0].problems;
    assert.deepEqual(Object.keys(problem).sort(), ['code', 'column', 'fix', 'line', 'message', 'path']);
    assert.deepEqual([problem.line, problem.column], [5, 11]);
  });

  test('says in JSON what is inspected', async (t) => {
    const { code, out } = await runInProcess([
      'policy',
      'check',
      '--json',
      write(t, policy),
      write(t, inspected),
    ]);
    const { files } = JSON.parse(out);
    assert.equal(code, 0);
    assert.deepEqual(
      files.map(({ ok, inspected }: { ok: boolean; inspected: { path: string }[] }) => [
        ok,
        inspected.map(({ path }) => path),
      ]),
      [
        [true, []],
        [true, ['network_policies.npm.endpoints[0].protocol']],
      ],
    );
  });

  test('checks all files when one has a problem', async (t) => {
    const { code, out } = await runInProcess(['policy', 'check', write(t, broken), write(t, policy)]);
    assert.equal(code, 1);
    assert.match(out, /: valid\n$/);
  });

  const unreadable: readonly [what: string, operand: (t: TestContext) => string, message: RegExp][] = [
    ['is missing', () => '/nope.yaml', /\/nope.yaml cannot be read: there is no such file/],
    ['is a directory', (t) => scratch(t), /cannot be read: it is a directory/],
    ['is not text', (t) => binary(t), /is not text in UTF-8/],
  ];
  for (const [what, operand, message] of unreadable) {
    test(`exits with 2 when a file ${what}`, async (t) => {
      const { code, out, err } = await runInProcess(['policy', 'check', operand(t)]);
      assert.deepEqual({ code, out }, { code: 2, out: '' });
      assert.match(err, message);
    });
  }

  test('ends on a file without an end', async () => {
    const { code, out } = await runProgram(['policy', 'check', '/dev/zero']);
    assert.equal(code, 1);
    assert.match(out, /^\/dev\/zero.*error: /);
  });
});

const binary = (t: TestContext): string => {
  const file = join(scratch(t), 'binary');
  writeFileSync(file, Buffer.from([0xff, 0xfe, 0x00]));
  return file;
};

describe('openshell policy explain', () => {
  const ask = (file: string, host: string, binary: string, ...more: string[]) =>
    runInProcess(['policy', 'explain', file, '--host', host, '--port', '443', '--binary', binary, ...more]);

  test('says by which rule a connection is allowed, and exits with 0', async (t) => {
    const file = write(t, policy);
    const { code, out, err } = await ask(file, 'Registry.npmjs.org.', '/usr/bin/node');
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, /^allowed registry.npmjs.org:443\n/);
    assert.match(out, new RegExp(`by npm.endpoints\\[0\\] \\(registry.npmjs.org\\) ${file}:5:9\n`));
    assert.match(out, /to public addresses, and private ones because the host is named exactly/);
    assert.match(out, /yes npm.endpoints\[0\]/);
    assert.match(out, /no {2}npm.endpoints\[1\]/);
  });

  test('says what a wildcard and tls: skip mean', async (t) => {
    const { out } = await ask(write(t, policy), 'a.example.com', '/usr/bin/node');
    assert.match(out, /to public addresses only\n {2}without a look at TLS/);
  });

  test('says to which addresses a name is bound', async (t) => {
    const file = write(t, policy.replace('5432', '443'));
    assert.match((await ask(file, 'db.internal', '/usr/bin/node')).out, /to only addresses in 10.1.2.0\/24/);
  });

  test('allows a child of an allowed program', async (t) => {
    const file = write(t, policy);
    assert.equal((await ask(file, 'registry.npmjs.org', '/bin/sh')).code, 1);
    assert.equal((await ask(file, 'registry.npmjs.org', '/bin/sh', '--ancestor', '/usr/bin/node')).code, 0);
  });

  test('says why a connection is denied and what to add, and exits with 1', async (t) => {
    const { code, out } = await ask(write(t, policy), 'registry.npmjs.org', '/usr/bin/curl');
    assert.equal(code, 1);
    assert.match(
      out,
      /^denied registry.npmjs.org:443\n.*\(binary_not_allowed\)\n {2}Add .*\/usr\/bin\/curl/s,
    );
  });

  test('shows an IPv6 address in brackets', async (t) => {
    const { code, out } = await ask(write(t, policy), '2001:DB8::0:1', '/usr/bin/node');
    assert.equal(code, 1);
    assert.match(out, /^denied \[2001:db8::1\]:443\n/);
  });

  test('says of an empty policy that it allows nothing', async (t) => {
    const { out } = await ask(write(t, 'version: 1\n'), 'a.test', '/usr/bin/node');
    assert.match(out, /The policy has no endpoints: nothing is allowed/);
  });

  test('lists no more endpoints than can be read', async (t) => {
    const many = Array.from({ length: 30 }, (_, index) => `      - { host: h${index}.test, port: 443 }`).join(
      '\n',
    );
    const text = `version: 1\nnetwork_policies:\n  p:\n    endpoints:\n${many}\n    binaries: [{ path: /x }]\n`;
    assert.match(
      (await ask(write(t, text), 'a.test', '/x')).out,
      /\n {2}and 10 more; --json lists them all\n$/,
    );
  });

  test('prints JSON', async (t) => {
    const file = write(t, policy);
    const { code, out } = await ask(
      file,
      'registry.npmjs.org',
      '/bin/sh',
      '--ancestor',
      '/usr/bin/node',
      '--json',
    );
    const { intent, decision, considered, ...rest } = JSON.parse(out);
    assert.equal(code, 0);
    assert.deepEqual(rest, { file });
    assert.deepEqual(intent, {
      host: 'registry.npmjs.org',
      port: 443,
      binary: '/bin/sh',
      ancestors: ['/usr/bin/node'],
    });
    assert.deepEqual(decision.endpoint, { policy: 'npm', index: 0, host: 'registry.npmjs.org' });
    assert.deepEqual(
      considered.map(({ step }: { step: string }) => step),
      ['matched', 'host', 'host'],
    );
  });

  const asked = (t: TestContext, ...words: string[]) =>
    ask(
      write(t, inspected.replace('access: full', 'access: read-only')),
      'registry.npmjs.org',
      '/usr/bin/node',
      ...words,
    );

  const requests: readonly [words: string[], code: number, out: RegExp][] = [
    [['--path', '/left-pad'], 0, /\nallowed GET \/left-pad\n/],
    [['--path', '/a/../b', '--query', 'x=1'], 0, /\nallowed GET \/b\n/],
    [['--path', '/b', '--method', 'DELETE'], 1, /\ndenied DELETE \/b\n[\s\S]*request_not_allowed/],
  ];
  for (const [words, expected, text] of requests) {
    test(`answers about a request: ${words.join(' ')}`, async (t) => {
      const { code, out } = await asked(t, ...words);
      assert.match(out, text);
      assert.equal(code, expected);
    });
  }

  test('answers about a request in JSON', async (t) => {
    const { code, out } = await asked(t, '--path', '/a', '--query', 'x=%31', '--method', 'PUT', '--json');
    const { decision, request } = JSON.parse(out);
    assert.equal(code, 1);
    assert.equal(decision.action, 'allow');
    assert.deepEqual([request.method, request.path, request.query], ['PUT', '/a', [['x', '1']]]);
    assert.deepEqual([request.decision.action, request.decision.code], ['deny', 'request_not_allowed']);
    assert.deepEqual(
      request.considered.map(({ step }: { step: string }) => step),
      ['silent'],
    );
  });

  const unasked: readonly [words: string[], message: RegExp][] = [
    [['--method', 'GET'], /--method is about a request, and there is no --path/],
    [['--path', '/a?b=1'], /--path has a query\n {2}Write it after --query/],
    [['--path', '/../a'], /the path leads above its root/],
    [['--path', '/a', '--query', 'x=%zz'], /a % in the query/],
    [['--path', '/a', '--method', 'get'], /'get' is not a method/],
  ];
  for (const [words, message] of unasked) {
    test(`refuses a request that cannot be made: ${words.join(' ')}`, async (t) => {
      const { code, out, err } = await asked(t, ...words);
      assert.match(err, message);
      assert.deepEqual([code, out], [2, '']);
    });
  }

  const mistakes: readonly [host: string, port: string, binary: string, message: RegExp][] = [
    [
      'https://a.test/',
      '443',
      '/x',
      /--host: 'https:.*neither a host name nor an address\n {2}Give the host alone/,
    ],
    ['a b', '443', '/x', /--host: 'a b' is neither/],
    ['127.1', '443', '/x', /--host: '127.1' is neither/],
    ['a.test', '0', '/x', /--port: '0' is not a port\n {2}Ports are 1 to 65535/],
    ['a.test', 'https', '/x', /--port: 'https' is not a port/],
    ['a.test', '443', 'node', /--binary: 'node' is not an absolute path/],
    ['a.test', '443', '/usr/../bin/node', /--binary: .* is not an absolute path as the kernel would name it/],
  ];
  for (const [host, port, binary, message] of mistakes) {
    test(`exits with 2 for ${host} ${port} ${binary}`, async (t) => {
      const words = ['--host', host, '--port', port, '--binary', binary];
      const { code, out, err } = await runInProcess(['policy', 'explain', write(t, policy), ...words]);
      assert.deepEqual({ code, out }, { code: 2, out: '' });
      assert.match(err, message);
    });
  }

  test('exits with 2 for an ancestor without a path', async (t) => {
    assert.match(
      (await ask(write(t, policy), 'a.test', '/x', '--ancestor', 'sh')).err,
      /--ancestor: 'sh' is not/,
    );
  });

  test('exits with 2 for a policy that is not valid, and shows its problems', async (t) => {
    const file = write(t, broken);
    const { code, out, err } = await ask(file, 'a.test', '/x');
    assert.deepEqual({ code, out }, { code: 2, out: '' });
    assert.match(err, new RegExp(`${basename(file)} is not a valid policy:\n {2}.*:5:11: error: .*hots`));
  });
});

describe('openshell doctor', () => {
  test('prints a table and a verdict that is its exit code', async () => {
    const { code, out, err } = await runProgram(['doctor']);
    assert.equal(err, '');
    assert.match(out, /^ok +System +linux /);
    assert.match(out, code === 0 ? /openshell run works here/ : /openshell run does not work here/);
  });

  test('prints the same as JSON', async () => {
    const { code, out } = await runInProcess(['doctor', '--json']);
    const { ready, checks } = JSON.parse(out);
    assert.equal(ready, code === 0);
    for (const { status, remedy } of checks) assert.equal(remedy === undefined, status === 'ok');
  });
});
