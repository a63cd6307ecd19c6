import { fileURLToPath } from 'node:url';
import type { TestResult } from './result.ts';
import { WorkerProcess } from './worker-process.ts';

export interface GroupRun {
  /** Where the checkout is for the user that runs the tests. */
  readonly root: string;
  /** In the order in which they are started. */
  readonly files: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What becomes another user; empty for the caller. */
  readonly prefix: readonly string[];
  readonly namePattern?: string;
  readonly signal: AbortSignal;
  onResult(result: TestResult): void;
}

/** Where this process sees the checkout. */
const sourceRoot = fileURLToPath(new URL('../..', import.meta.url));

/** No test waits that long; one that hangs is ended, so that the others are told about. */
const TEST_TIMEOUT_MS = 60_000;

/** Processes that run files at a time. */
const JOBS = 2;

const commandOf = ({ root, prefix, namePattern }: GroupRun): [string, ...string[]] => [
  ...(prefix as []),
  `${root}/bin/node`,
  // As an option of `run()` it would not be for the tests of suites.
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  `${root}/scripts/testing/worker.ts`,
  ...(namePattern === undefined ? [] : [namePattern]),
];

/** Takes file after file until none is left. A process that a file has brought down is followed by another one. */
const runLane = async (run: GroupRun, files: Iterator<string>): Promise<void> => {
  const { env, signal, onResult } = run;
  const start = (): WorkerProcess =>
    new WorkerProcess({ command: commandOf(run), cwd: sourceRoot, env, signal, onResult });
  let worker: WorkerProcess | undefined;
  for (let next = files.next(); !next.done && !signal.aborted; next = files.next()) {
    if (!worker?.isAlive) worker = start();
    await worker.run(next.value);
  }
  await worker?.end();
};

/** Runs the files of one group and tells each result as it comes. */
export const runGroup = async (run: GroupRun): Promise<void> => {
  const files = run.files.values();
  await Promise.all(Array.from({ length: Math.min(JOBS, run.files.length) }, () => runLane(run, files)));
  run.signal.throwIfAborted();
};
