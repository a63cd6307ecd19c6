import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parseCgroupMounts, parseOwnGroups } from './cgroups.ts';
import { tryDevice } from './devices.ts';
import { dockerSocket, pingDocker } from './docker.ts';
import { inspectMachine } from './index.ts';
import { tryKvm } from './kvm.ts';
import { parseProbe, probeLauncher } from './launcher-probe.ts';
import { findProgram, findPrograms } from './programs.ts';
import { runProgram } from './run-program.ts';

const scratch = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'openshell-doctor-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

const script = (directory: string, name: string, body: string): string => {
  const file = join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
};

describe('the launcher', () => {
  test('is asked, and what it says is understood', async (t) => {
    const directory = scratch(t);
    const path = script(
      directory,
      'launcher',
      'test "$1" = --probe && echo landlock_abi 7 && echo userns 0 1 && pwd >&2',
    );
    const facts = await probeLauncher(path, directory);
    assert.deepEqual(facts, {
      kind: 'answered',
      path,
      answers: new Map([
        ['landlock_abi', { value: 7, errno: 0 }],
        ['userns', { value: 0, errno: 1 }],
      ]),
    });
  });

  const failures: readonly [what: string, body: string, reason: RegExp][] = [
    ['says nothing', 'true', /exit code 0/],
    ['fails', 'echo landlock_abi 7; exit 3', /exit code 3/],
    ['is killed', 'kill -SEGV $$', /ended by SIGSEGV/],
  ];
  for (const [what, body, reason] of failures) {
    test(`does not work when it ${what}`, async (t) => {
      const directory = scratch(t);
      const facts = await probeLauncher(script(directory, 'launcher', body), directory);
      assert.equal(facts.kind, 'failed');
      assert.match(facts.kind === 'failed' ? facts.reason : '', reason);
    });
  }

  test('does not work when it is built for another machine', async (t) => {
    const directory = scratch(t);
    const path = join(directory, 'launcher');
    writeFileSync(path, '\x7fELF nonsense', { mode: 0o755 });
    assert.equal((await probeLauncher(path, directory)).kind, 'failed');
  });

  test('is absent when it is not there, not executable, or not built', async (t) => {
    const directory = scratch(t);
    writeFileSync(join(directory, 'data'), '');
    assert.deepEqual(await probeLauncher(join(directory, 'nope'), directory), { kind: 'absent' });
    assert.deepEqual(await probeLauncher(join(directory, 'data'), directory), { kind: 'absent' });
    assert.deepEqual(await probeLauncher(undefined, directory), { kind: 'absent' });
  });

  test('may say what this version does not know', () => {
    assert.deepEqual(
      parseProbe('a 1\r\nb x\nc 1 2 3\n\nwarning: no\nd 0 95'),
      new Map([
        ['a', { value: 1, errno: 0 }],
        ['d', { value: 0, errno: 95 }],
      ]),
    );
  });
});

describe('a program', () => {
  test('is found where a shell would find it', (t) => {
    const directory = scratch(t);
    const [first, second] = [join(directory, 'a'), join(directory, 'b')];
    mkdirSync(join(first, 'tool'), { recursive: true });
    mkdirSync(second);
    writeFileSync(join(first, 'data'), '');
    script(second, 'tool', 'true');
    script(second, 'data', 'true');
    const path = `/nonexistent:${first}:${second}`;
    assert.equal(findProgram('tool', path)?.path, join(second, 'tool'));
    assert.equal(findProgram('data', path)?.path, join(second, 'data'));
    assert.equal(findProgram('other', path), undefined);
  });

  test('says its version in the first line', async (t) => {
    const directory = scratch(t);
    script(directory, 'runc', 'echo runc version 9; echo more');
    script(directory, 'crun', 'exit 1');
    const found = await findPrograms(directory);
    assert.deepEqual([...found.entries()].sort(), [
      ['crun', { path: join(directory, 'crun') }],
      ['runc', { path: join(directory, 'runc'), version: 'runc version 9' }],
    ]);
  });

  test('that does not end is killed', async () => {
    assert.deepEqual(await runProgram('/bin/sh', ['-c', 'while :; do :; done'], { limit: 20 }), {
      kind: 'late',
    });
  });

  test('that cannot be started is no exception', async () => {
    assert.deepEqual(await runProgram('/nonexistent/x', [], { limit: 1000 }), {
      kind: 'unstartable',
      reason: 'ENOENT',
    });
  });

  test('that prints without end is stopped', async () => {
    const result = await runProgram('/bin/sh', ['-c', 'while :; do echo xxxxxxxxxxxxxxxx; done'], {
      limit: 10_000,
    });
    assert.notEqual(result.kind, 'exited');
  });
});

describe('KVM', () => {
  const device = '/dev/null';
  const cases: readonly [what: string, body: string, expected: object][] = [
    ['works when a guest reached its exit port', 'exit 33', { kind: 'works' }],
    [
      'fails with the words of QEMU',
      'echo "no such accelerator" >&2; exit 1',
      { kind: 'fails', reason: 'no such accelerator' },
    ],
    ['fails when QEMU says nothing', 'exit 0', { kind: 'fails', reason: 'QEMU ended with 0' }],
    ['fails when QEMU crashes', 'kill -ABRT $$', { kind: 'fails', reason: 'QEMU was ended by SIGABRT' }],
  ];
  for (const [what, body, expected] of cases) {
    test(what, async (t) => {
      const qemu = { path: script(scratch(t), 'qemu', body) };
      assert.deepEqual(await tryKvm({ device, qemu }), expected);
    });
  }

  test('is tried with firmware of 64 KiB, which is gone afterwards', async (t) => {
    const directory = scratch(t);
    const log = join(directory, 'log');
    const body = `while [ "$1" != -bios ]; do shift; done; wc -c < "$2" > ${log}; dirname "$2" >> ${log}; exit 33`;
    await tryKvm({ device, qemu: { path: script(directory, 'qemu', body) } });
    const [size, where = ''] = readFileSync(log, 'utf8').trim().split('\n');
    assert.equal(size, '65536');
    assert.throws(() => readdirSync(where), { code: 'ENOENT' });
  });

  test('is not believed without a trial', async () => {
    assert.deepEqual(await tryKvm({ device, qemu: undefined }), { kind: 'untried' });
    assert.deepEqual(await tryKvm({ device: '/nonexistent', qemu: undefined }), { kind: 'absent' });
  });

  test('may be denied', { skip: process.geteuid?.() === 0 && 'root may open everything' }, (t) => {
    const file = join(scratch(t), 'device');
    writeFileSync(file, '', { mode: 0 });
    assert.deepEqual(tryDevice(file), { kind: 'denied' });
  });
});

describe('control groups', () => {
  test('are read from the mounts of version 1 and 2', () => {
    const mountinfo = [
      '24 23 0:22 / / rw shared:1 - ext4 /dev/vda rw',
      '31 24 0:26 / /sys/fs/cgroup/pids rw,nosuid shared:9 - cgroup cgroup rw,pids',
      '32 24 0:27 /box /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate',
      '',
    ].join('\n');
    assert.deepEqual(parseCgroupMounts(mountinfo), [
      { version: 1, mountPoint: '/sys/fs/cgroup/pids', root: '/', controllers: ['rw', 'pids'] },
      { version: 2, mountPoint: '/sys/fs/cgroup', root: '/box', controllers: [] },
    ]);
  });

  test('are read from the own groups', () => {
    const groups = parseOwnGroups('9:pids:/a:b\n4:cpu,cpuacct:/\n0::/user.slice\nnonsense\n');
    assert.deepEqual(
      groups,
      new Map([
        ['pids', '/a:b'],
        ['cpu', '/'],
        ['cpuacct', '/'],
        ['', '/user.slice'],
      ]),
    );
  });
});

describe('Docker', () => {
  test('is looked for where its client would look', () => {
    assert.equal(dockerSocket(undefined), '/var/run/docker.sock');
    assert.equal(dockerSocket('unix:///run/user/1000/docker.sock'), '/run/user/1000/docker.sock');
    assert.equal(dockerSocket('tcp://10.0.0.1:2375'), '/var/run/docker.sock');
  });

  test('answers with the version of its API', async (t) => {
    const socket = join(scratch(t), 'docker.sock');
    const server = createHttpServer((_request, response) =>
      response.setHeader('Api-Version', '1.41').end('OK'),
    );
    server.listen(socket);
    await once(server, 'listening');
    assert.deepEqual(await pingDocker(socket), { kind: 'answers', socket, version: '1.41' });
    server.closeAllConnections();
    server.close();
  });

  test('is silent when what listens is not Docker', async (t) => {
    const socket = join(scratch(t), 'docker.sock');
    const server = createNetServer((connection) => connection.end('nonsense\n'));
    server.listen(socket);
    await once(server, 'listening');
    assert.equal((await pingDocker(socket)).kind, 'silent');
    server.close();
  });

  test('is silent when nothing listens, and absent when there is no socket', async (t) => {
    const directory = scratch(t);
    const file = join(directory, 'file');
    writeFileSync(file, '');
    assert.deepEqual(await pingDocker(file), { kind: 'silent', socket: file, reason: 'ECONNREFUSED' });
    assert.equal((await pingDocker(join(directory, 'nope'))).kind, 'absent');
  });
});

test('a whole machine is inspected, whatever it has', async (t) => {
  const directory = scratch(t);
  const launcher = script(directory, 'launcher', 'echo landlock_abi 7');
  const report = await inspectMachine({ launcher, workdir: directory, env: { PATH: directory } });
  assert.ok(report.checks.length > 10);
  assert.equal(report.checks.find(({ id }) => id === 'launcher')?.status, 'ok');
});
