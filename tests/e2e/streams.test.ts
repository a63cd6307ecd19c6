import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { openshell, runScript } from '../support/openshell.ts';
import { OPENSHELL } from '../support/paths.ts';
import { digest, noise } from '../support/pipes.ts';
import { Scratch } from '../support/scratch.ts';

const run = promisify(execFile);

/** What a person would type: openshell as a part of a shell's pipe. */
const inShell = (script: string, cwd = '/tmp'): Promise<{ stdout: string; stderr: string }> =>
  run('bash', ['-c', `set -o pipefail; ${script}`], { cwd, env: { ...process.env, OPENSHELL } });

describe('standard streams', { concurrency: 4 }, () => {
  test('are three: what is written to one appears on no other', async () => {
    const { stdout, stderr } = await runScript('cat; echo to-err >&2', { input: 'to-out\n' });
    assert.equal(stdout, 'to-out\n');
    assert.equal(stderr, 'to-err\n');
  });

  test('carry every byte unchanged', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const started = spawn(OPENSHELL, ['run', '--', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    started.stdin.end(all);
    assert.deepEqual(Buffer.concat(await started.stdout.toArray()), all);
  });

  test('carry 100 MB through the command and back', async () => {
    const hash = createHash('sha256');
    for (const block of noise(100)) hash.update(block);
    const child = spawn(OPENSHELL, ['run', '--', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [received] = await Promise.all([
      digest(child.stdout),
      pipeline(Readable.from(noise(100)), child.stdin),
    ]);
    assert.deepEqual(received, { bytes: 100 << 20, sha256: hash.digest('hex') });
  });

  test('end for the command when the caller closes its input', async () => {
    assert.equal((await openshell(['run', '--', 'wc', '-c'], { input: 'abc' })).stdout, '3\n');
    assert.equal((await openshell(['run', '--', 'wc', '-c'], { input: '' })).stdout, '0\n');
  });

  test('end the command when nobody reads: | head -1', async () => {
    const { stdout } = await inShell('"$OPENSHELL" run -- yes | head -1; echo $PIPESTATUS');
    assert.deepEqual(stdout.split('\n'), ['y', '141', '']);
  });

  test('may be closed', async () => {
    assert.equal(
      (await inShell('"$OPENSHELL" run -- sh -c "cat; echo out" <&- 2>/dev/null')).stdout,
      'out\n',
    );
    const { stdout } = await inShell('"$OPENSHELL" run -- sh -c "echo out; exit 0" >&-; echo "code $?"');
    assert.match(stdout, /^code [01]\n$/);
    assert.equal((await inShell('"$OPENSHELL" run -- echo out 2>&-')).stdout, 'out\n');
  });

  test('may be files, read from where the caller stands and appended to', async () => {
    using scratch = new Scratch();
    writeFileSync(scratch.join('in'), 'one\ntwo\n');
    await inShell(
      `{ read -r first; "$OPENSHELL" run -- cat; } <in >>out; "$OPENSHELL" run -- echo more >>out`,
      scratch.path,
    );
    assert.equal(readFileSync(scratch.join('out'), 'utf8'), 'two\nmore\n');
  });

  test('stay blocking for the command: a writer that outruns its reader sees no EAGAIN', async () => {
    const writer = 'dd if=/dev/zero bs=1M count=8 2>/dev/null && printf done >&2';
    const { stdout, stderr } = await inShell(`"$OPENSHELL" run -- sh -c '${writer}' | (sleep 0.3; wc -c)`);
    assert.equal(stdout.trim(), String(8 << 20));
    assert.equal(stderr, 'done');
  });

  test('stay blocking for the caller: the flags of a shared pipe are as they were', async () => {
    const flags = 'grep flags /proc/self/fdinfo/1 >&2';
    const { stderr } = await inShell(`{ ${flags}; "$OPENSHELL" run -- true; ${flags}; } | cat`);
    const [before, after] = stderr.trim().split('\n');
    assert.equal(after, before);
  });

  test('end for their reader when the command closes them, although it goes on', async () => {
    const child = spawn(OPENSHELL, ['run', '--', 'sh', '-c', 'exec >&-; read -r line; exit 3'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 60_000,
    });
    const exited = once(child, 'exit');
    await child.stdout.toArray();
    assert.equal(child.exitCode, null);
    child.stdin.end('go on\n');
    assert.equal((await exited)[0], 3);
  });

  test('may not be a directory, which would be a way out of what the sandbox shows', async () => {
    const { stdout } = await inShell('"$OPENSHELL" run -- true </ 2>&1; echo "code $?"');
    assert.match(stdout, /standard stream \(input\): EISDIR/);
    assert.match(stdout, /code 125\n$/);
  });
});
