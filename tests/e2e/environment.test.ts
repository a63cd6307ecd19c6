import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { openshell, runScript } from '../support/openshell.ts';
import { Scratch } from '../support/scratch.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

const SECRET = {
  SECRET_TOKEN: 'swordfish',
  AWS_SECRET_ACCESS_KEY: 'swordfish',
  NODE_OPTIONS: '--no-warnings',
  LD_LIBRARY_PATH: '/swordfish',
};

const variables = async (
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Map<string, string>> => {
  const { stdout, stderr } = await openshell(['run', ...options, '--', 'env', '-0'], { env });
  assert.equal(stderr, '');
  return new Map(
    stdout
      .split('\0')
      .filter(Boolean)
      .map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
  );
};

describe('the environment', { concurrency: 4 }, () => {
  test('holds nothing of the caller’s but how to show things', async () => {
    const found = await variables([], { ...SECRET, LANG: 'C.UTF-8', TERM: 'dumb', LC_TIME: 'C' });
    for (const name of Object.keys(SECRET)) assert.ok(!found.has(name), name);
    assert.ok(![...found.values()].includes('swordfish'));
    assert.deepEqual([found.get('LANG'), found.get('TERM'), found.get('LC_TIME')], ['C.UTF-8', 'dumb', 'C']);
    assert.equal(found.get('HOME'), '/home/sandbox');
  });

  test('holds what was given by name: as written, or as it is here', async () => {
    const found = await variables(
      ['--env', 'PLAIN=a=b c', '--env', 'EMPTY=', '--env', 'SECRET_TOKEN', '--env', 'HOME=/tmp'],
      SECRET,
    );
    assert.deepEqual(
      ['PLAIN', 'EMPTY', 'SECRET_TOKEN', 'HOME'].map((name) => found.get(name)),
      ['a=b c', '', 'swordfish', '/tmp'],
    );
    assert.ok(!found.has('AWS_SECRET_ACCESS_KEY'));
  });

  test('a name that is not set here is an error, and no value of a wrong --env is repeated', async () => {
    const unset = await openshell(['run', '--env', 'NOT_SET_HERE', '--', 'true']);
    assert.equal(unset.code, 125);
    assert.match(unset.stderr, /NOT_SET_HERE/);
    const wrong = await openshell(['run', '--env', '1BAD=swordfish', '--', 'true']);
    assert.equal(wrong.code, 125);
    assert.doesNotMatch(wrong.stderr, /swordfish/);
  });

  test('is that of no process in the sandbox’s /proc', async () => {
    const { stdout } = await runScript('cat /proc/*/environ 2>/dev/null | grep -c swordfish', {
      env: SECRET,
    });
    assert.equal(stdout, '0\n');
  });
});

describe('the working directory', { concurrency: 4 }, () => {
  test('is the caller’s, or the one that --workdir names, links followed', async () => {
    assert.equal((await runScript('pwd', { cwd: scratch.path })).stdout, `${scratch.path}\n`);
    const named = await runScript('pwd', { cwd: '/', options: ['--workdir', scratch.path] });
    assert.equal(named.stdout, `${scratch.path}\n`);
  });
});

describe('the machine inside', { concurrency: 4 }, () => {
  test('has its own name, processes and nothing but loopback', async () => {
    const { stdout } = await runScript(
      'hostname; echo $$; cat /proc/net/dev | tail -n +3 | cut -d: -f1; set -- /proc/[0-9]*; echo $# > /tmp/n; cat /tmp/n',
    );
    const [name, pid, network, processes] = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim());
    assert.deepEqual([name, pid, network], ['sandbox', '2', 'lo']);
    assert.equal(processes, '2');
  });

  test('has a user that is not root and has no privilege, whoever started it', async () => {
    const { stdout } = await runScript(
      'id -u; id -un; grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status',
    );
    const [uid, name, ...status] = stdout.trim().split('\n');
    assert.notEqual(uid, '0');
    assert.notEqual(name, 'root');
    assert.deepEqual(status, [
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000000',
      'NoNewPrivs:\t1',
      'Seccomp:\t2',
    ]);
  });
});
