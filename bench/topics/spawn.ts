import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { ProcessRuntime } from '@openshell/runtime';
import { closeListeners, startSandbox } from '../measure/idle-sandbox.ts';
import { medianOf, type Series } from '../measure/series.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { hasProgram } from '../peers/installed.ts';

const START = 'request to the start of the program';
const FIRST_BYTE = 'request to the first byte that the program says';
const BWRAP_ARGS = ['--ro-bind', '/', '/', '--unshare-all'];
const RUNS_A_ROUND = 25;
const WARM_UP = 5;

type Recorder = (group: string, name: string, value: number) => void;

/** One sandbox around `echo`: the time until its execve succeeded, and until its output is here. */
async function openshellOnce(runtime: ProcessRuntime, workdir: string, record: Recorder): Promise<void> {
  const start = performance.now();
  await using sandbox = await startSandbox(runtime, {
    id: 'bench',
    workdir,
    command: {
      argv: ['/bin/echo', '.'],
      env: () => ({ PATH: '/usr/bin:/bin' }),
      cwd: workdir,
      terminal: [],
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  });
  const spoken = once(sandbox.stdout as Readable, 'data').then(() => performance.now() - start);
  await sandbox.run();
  record(START, 'openshell', performance.now() - start);
  record(FIRST_BYTE, 'openshell', await spoken);
  await sandbox.wait();
  closeListeners(sandbox);
}

/** bwrap does not say when it calls execve: what can be seen is the whole command, and the first byte. */
async function bwrapOnce(record: Recorder): Promise<void> {
  const start = performance.now();
  await once(spawnProcess('bwrap', [...BWRAP_ARGS, 'true'], { stdio: 'ignore' }), 'exit');
  record(START, 'bwrap … true, whole', performance.now() - start);
  const again = performance.now();
  const child: ChildProcess = spawnProcess('bwrap', [...BWRAP_ARGS, '/bin/echo', '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  await once(child.stdout as Readable, 'data');
  record(FIRST_BYTE, 'bwrap', performance.now() - again);
  await ended;
}

async function run(context: TopicContext): Promise<TopicResult> {
  const withBwrap = hasProgram('bwrap', context.note);
  const runtime = new ProcessRuntime();
  const workdir = context.scratch.directory('spawn');
  const values = new Map<string, Series & { values: number[] }>();
  const record: Recorder = (group, name, value) => {
    const key = `${group}\n${name}`;
    const series = values.get(key) ?? { group, name, unit: 'ms', values: [] };
    series.values.push(value);
    values.set(key, series);
  };
  const rounds = context.rounds * (context.quick ? 4 : RUNS_A_ROUND);
  for (let round = -WARM_UP; round < rounds; round++) {
    const keep: Recorder = round < 0 ? () => {} : record;
    await openshellOnce(runtime, workdir, keep);
    if (withBwrap) await bwrapOnce(keep);
  }
  const series = [...values.values()];
  return {
    series,
    references: { [START]: 'bwrap … true, whole', [FIRST_BYTE]: 'bwrap' },
    targets: [
      {
        what: 'request to execve, against a whole bwrap',
        bound: 'at most',
        limit: 1.5,
        value: medianOf(series, START, 'openshell') / medianOf(series, START, 'bwrap … true, whole'),
        unit: '×',
      },
    ],
  };
}

export const spawn: Topic = {
  name: 'spawn',
  title: 'A sandbox inside a running supervisor, started by the same Node.js as bwrap',
  run,
};
