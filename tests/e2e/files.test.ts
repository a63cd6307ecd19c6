import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { after, describe, test } from 'node:test';
import { type Outcome, runScript } from '../support/openshell.ts';
import { isRoot, needsRoot } from '../support/paths.ts';
import { type TestPolicy, writePolicy } from '../support/policy.ts';
import { Scratch } from '../support/scratch.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

/** A fresh directory to work in. */
const place = (name: string): string => {
  mkdirSync(scratch.join(name));
  return scratch.join(name);
};

let policies = 0;
const underPolicy = (policy: TestPolicy, script: string, cwd: string): Promise<Outcome> => {
  policies += 1;
  const file = writePolicy(scratch.join(`policy-${policies}.json`), policy);
  return runScript(script, { cwd, options: ['--policy', file] });
};

/** A script that says for each path whether it could be written. */
const writes = (...paths: string[]): string =>
  `for f in ${paths.join(' ')}; do if (echo x >>"$f") 2>/dev/null; then echo yes; else echo no; fi; done`;
const answers = (outcome: Outcome): string[] => outcome.stdout.trim().split('\n');

describe('files', { concurrency: 4 }, () => {
  test('of the system can be read and not changed', async () => {
    const script = `head -c 4 /etc/os-release >/dev/null && test -x /usr/bin/env && echo read; ${writes('/usr/new', '/etc/new', '/etc/passwd', '/new', '/proc/sys/kernel/hostname', '/dev/new')}`;
    assert.deepEqual(answers(await runScript(script)), ['read', 'no', 'no', 'no', 'no', 'no', 'no']);
    assert.ok(!existsSync('/usr/new') && !existsSync('/etc/new'));
  });

  test('in the working directory can be made, changed, moved, linked and removed', async () => {
    const cwd = place('work');
    const script =
      'mkdir -p a/b && echo 1 >a/b/f && mv a/b/f g && ln g h && ln -s g i && chmod 700 a && truncate -s 9 g && rm -r a && cat i | wc -c';
    const { stdout, stderr } = await runScript(script, { cwd });
    assert.equal(stdout, '9\n', stderr);
    assert.equal(statSync(`${cwd}/g`).size, 9);
    assert.deepEqual(
      [statSync(`${cwd}/g`).uid, statSync(`${cwd}/g`).gid],
      [statSync(cwd).uid, statSync(cwd).gid],
    );
  });

  test('in /tmp and in the home directory are private, and gone afterwards', async () => {
    const script = `${writes('/tmp/mine', '~/mine', '/dev/shm/mine')}; test -e "$1" && echo seen`;
    const cwd = place('private');
    const first = await runScript(script.replace('"$1"', scratch.join('marker')), { cwd });
    assert.deepEqual(answers(first), ['yes', 'yes', 'yes']);
    assert.ok(!existsSync('/tmp/mine'));
    const second = await runScript('cat /tmp/mine ~/mine /dev/shm/mine 2>&1 | grep -c "No such file"', {
      cwd,
    });
    assert.equal(second.stdout, '3\n');
  });

  test('of the host that no policy shows do not exist: the caller’s home, /root, sockets, other directories', async () => {
    const home = place('home');
    writeFileSync(`${home}/.netrc`, 'secret');
    const server = createServer().listen(scratch.join('docker.sock'));
    await once(server, 'listening');
    const paths = [
      `${home}/.netrc`,
      home,
      scratch.join('docker.sock'),
      '/root',
      '/boot',
      '/sys',
      '/run/docker.sock',
      '/var/lib',
    ];
    const script = paths.map((path) => `test -e ${path} && echo "seen ${path}"`).join('; ');
    const { stdout } = await runScript(`${script}; echo end`, {
      cwd: place('elsewhere'),
      env: { HOME: home },
    });
    server.close();
    assert.equal(stdout, 'end\n');
  });

  test('are listed by a policy: read_only is read, read_write is written, the rest is not there', async () => {
    const [cwd, read, write, other] = [place('p-work'), place('p-read'), place('p-write'), place('p-other')];
    for (const directory of [read, write, other]) writeFileSync(`${directory}/f`, 'content', { mode: 0o666 });
    const script = `cat ${read}/f ${write}/f; echo; cat ${other}/f 2>&1 | grep -o 'No such file'; ${writes(`${read}/f`, `${read}/new`, `${write}/f`, `${write}/new`)}`;
    const outcome = await underPolicy({ readOnly: [read], readWrite: [write] }, script, cwd);
    assert.deepEqual(answers(outcome), ['contentcontent', 'No such file', 'no', 'no', 'yes', 'yes']);
    assert.equal(readFileSync(`${read}/f`, 'utf8'), 'content');
  });

  test('may be listed one by one', async () => {
    const cwd = place('single');
    const directory = place('single-files');
    for (const name of ['shown', 'hidden', 'open'])
      writeFileSync(`${directory}/${name}`, name, { mode: 0o666 });
    const policy = { readOnly: [`${directory}/shown`], readWrite: [`${directory}/open`] };
    const script = `cat ${directory}/shown; echo; ls ${directory}; ${writes(`${directory}/shown`, `${directory}/open`, `${directory}/new`)}`;
    const found = answers(await underPolicy(policy, script, cwd));
    assert.deepEqual(found.slice(0, 5), ['shown', 'open', 'shown', 'no', 'yes']);
    // The directory around them is the sandbox's own: what is made in it, where that is possible, is not on the host.
    assert.ok(!existsSync(`${directory}/new`));
  });

  test('of the working directory are not shown when the policy says so, and the command starts in /', async () => {
    const cwd = place('unseen');
    writeFileSync(`${cwd}/f`, 'x');
    const { stdout, stderr } = await underPolicy(
      { includeWorkdir: false },
      `pwd; test -e ${cwd}/f || echo unseen`,
      cwd,
    );
    assert.equal(stdout, '/\nunseen\n');
    assert.match(stderr, /include_workdir/);
  });

  test('of a read-only place within a writable one stay as they are', async () => {
    const cwd = place('mixed');
    mkdirSync(`${cwd}/fixed`);
    writeFileSync(`${cwd}/fixed/f`, 'kept', { mode: 0o666 });
    const script = writes('f', 'fixed/f', 'fixed/new');
    assert.deepEqual(answers(await underPolicy({ readOnly: [`${cwd}/fixed`] }, script, cwd)), [
      'yes',
      'no',
      'no',
    ]);
  });
});

describe('no link leads out', { concurrency: 4 }, () => {
  test('a symbolic link in the working directory, made before or inside', async () => {
    const cwd = place('links');
    writeFileSync(scratch.join('outside'), 'secret', { mode: 0o666 });
    symlinkSync(scratch.join('outside'), `${cwd}/before`);
    symlinkSync('../outside', `${cwd}/relative`);
    const script = `ln -s ${scratch.join('outside')} inside; cat before relative inside 2>/dev/null; ${writes('before', 'relative', 'inside', '/proc/self/root/etc/new', '/proc/1/root/etc/new')}`;
    const { stdout } = await runScript(script, { cwd });
    assert.doesNotMatch(stdout, /secret/);
    assert.equal(readFileSync(scratch.join('outside'), 'utf8'), 'secret');
  });

  test('a symbolic link that a run left behind, where the next run works', async () => {
    const cwd = place('trap');
    await runScript('rm -rf sub; ln -s /etc sub', { cwd });
    const second = await runScript('pwd', { cwd: '/', options: ['--workdir', `${cwd}/sub`] });
    // The operator named it: links are followed on the host, and what is named is what is shown.
    assert.ok(second.code === 0 || second.code === 125);
    assert.ok(!existsSync('/etc/new'));
  });

  test('a hard link to a file of the system cannot be made', async () => {
    const { stdout } = await runScript(
      'ln /etc/passwd p 2>/dev/null && echo linked; ln /usr/bin/env e 2>/dev/null && echo linked; echo end',
      { cwd: place('hard') },
    );
    assert.equal(stdout, 'end\n');
  });

  test('a hard link that was there before is what it is: a file of the working directory', async () => {
    const cwd = place('shared');
    writeFileSync(scratch.join('twin'), 'a');
    linkSync(scratch.join('twin'), `${cwd}/twin`);
    await runScript('printf b >>twin', { cwd });
    assert.equal(readFileSync(scratch.join('twin'), 'utf8'), 'ab');
  });
});

describe('places to work', { concurrency: 4 }, () => {
  test('/tmp itself: then it is the host’s', {
    skip: isRoot ? false : 'the host’s /tmp belongs to root',
  }, async () => {
    const directory = mkdtempSync('/tmp/openshell-place-');
    try {
      const { stdout, stderr } = await runScript(`test -d ${directory} && echo seen`, { cwd: '/tmp' });
      assert.equal(stdout, 'seen\n', stderr);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('below a directory of the system, which stays read-only around it', {
    skip: needsRoot('a directory in /usr/local'),
  }, async () => {
    const directory = mkdtempSync('/usr/local/openshell-place-');
    try {
      const { stdout } = await runScript(writes(`${directory}/f`, '/usr/local/new'), { cwd: directory });
      assert.equal(stdout, 'yes\nno\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('with spaces, newlines and other signs in its name', async () => {
    const cwd = place('a b\n\'"$(x)\tü');
    const { stdout, code } = await runScript('echo 1 >f; cat f', { cwd });
    assert.deepEqual({ stdout, code }, { stdout: '1\n', code: 0 });
  });

  test('beside many others', async () => {
    const cwd = place('deep');
    mkdirSync(`${cwd}/${'d/'.repeat(60)}`, { recursive: true });
    const { stdout } = await runScript('echo 1 >f; cat f', { cwd: `${cwd}/${'d/'.repeat(60)}` });
    assert.equal(stdout, '1\n');
  });
});

describe('what is made belongs to the directory’s owner', {
  concurrency: 4,
  skip: needsRoot('files of several users'),
}, () => {
  for (const [owner, group] of [
    [0, 0],
    [1234, 1234],
    [1234, 0],
    [0, 4321],
  ] as const) {
    test(`${owner}:${group}`, async () => {
      const cwd = place(`owned-${owner}-${group}`);
      chownSync(cwd, owner, group);
      chmodSync(cwd, 0o700);
      const { code, stderr } = await runScript(
        'touch f && mkdir d && touch d/g && stat -c %u . f | uniq | wc -l',
        { cwd },
      );
      assert.equal(code, 0, stderr);
      for (const name of ['f', 'd', 'd/g']) {
        const { uid, gid } = statSync(`${cwd}/${name}`);
        assert.deepEqual([uid, gid], [owner, group], name);
      }
    });
  }

  test('and what belongs to somebody else below it stays theirs', async () => {
    const cwd = place('nested');
    mkdirSync(`${cwd}/theirs`, { mode: 0o755 });
    writeFileSync(`${cwd}/theirs/f`, 'kept', { mode: 0o600 });
    chownSync(`${cwd}/theirs`, 1234, 1234);
    chownSync(`${cwd}/theirs/f`, 1234, 1234);
    const { stdout } = await runScript(
      `${writes('theirs/new', 'theirs/f')}; cat theirs/f 2>/dev/null; chown 0:0 theirs/f 2>/dev/null && echo taken`,
      { cwd },
    );
    assert.equal(stdout, 'no\nno\n');
  });

  test('and a policy may name the user that works', async () => {
    const cwd = place('named-user');
    const { stdout } = await underPolicy(
      { process: { run_as_user: '4242', run_as_group: '4343' } },
      'id -u; id -g; touch f',
      cwd,
    );
    assert.equal(stdout, '4242\n4343\n');
    assert.equal(statSync(`${cwd}/f`).uid, 0);
  });
});
