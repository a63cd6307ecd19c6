import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Started } from '../support/openshell.ts';
import { readProcess, sandboxProcesses } from '../support/processes.ts';
import { until } from '../support/until.ts';

const start = (script: string): Started => new Started(['run', '--', 'sh', '-c', script]);

describe('a signal to openshell', { concurrency: 4 }, () => {
  for (const name of ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'USR2'] as const) {
    test(`reaches the command: SIG${name}`, async () => {
      const started = start(
        `trap "echo got ${name}; exit 9" ${name}; echo ready; while :; do sleep 0.05; done`,
      );
      await started.prints('ready');
      process.kill(started.pid, `SIG${name}`);
      const { code, stdout } = await started.finished;
      assert.deepEqual({ code, stdout }, { code: 9, stdout: `ready\ngot ${name}\n` });
    });
  }

  test('ends a command that does not handle it, as it would without a sandbox', async () => {
    const started = start('echo ready; exec sleep 1000');
    await started.prints('ready');
    process.kill(started.pid, 'SIGTERM');
    assert.equal((await started.finished).code, 143);
  });

  test('may be ignored by the command, which then goes on', async () => {
    const started = start('trap "" TERM; echo ready; read line; echo "went on"');
    await started.prints('ready');
    process.kill(started.pid, 'SIGTERM');
    started.type('\n');
    const { code, stdout } = await started.finished;
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'ready\nwent on\n' });
  });

  test('that stops and continues it stops and continues the command', async () => {
    const started = start('echo ready; read line; echo "went on"');
    await started.prints('ready');
    const { all } = await sandboxProcesses(started.pid);
    const workload = all.at(-1)!;
    process.kill(started.pid, 'SIGTSTP');
    await until('a stopped command', () => readProcess(workload.pid)?.state === 'T');
    await until('a stopped supervisor', () => readProcess(started.pid)?.state === 'T');
    process.kill(started.pid, 'SIGCONT');
    await until('a continued command', () => readProcess(workload.pid)?.state === 'S');
    started.type('\n');
    assert.equal((await started.finished).stdout, 'ready\nwent on\n');
  });

  test('leaves the command its own signals: what it sends to its group stays in the sandbox', async () => {
    const started = start('trap "" USR1; kill -USR1 0; kill -USR1 -1 2>/dev/null; echo survived');
    assert.deepEqual(await started.finished, { code: 0, signal: null, stdout: 'survived\n', stderr: '' });
  });
});
