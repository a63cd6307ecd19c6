import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HangWatch } from './processes.ts';
import type { ReporterLine, TestResult } from './result.ts';

export interface GroupRun {
  /** Where the checkout is for the user that runs the tests. */
  readonly root: string;
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
/** Nor does a file, counted from its start. */
const FILE_TIMEOUT_MS = 150_000;
const KEPT_OUTPUT = 64 * 1024;
const JOBS = 2;

const commandOf = ({ root, files, prefix, namePattern }: GroupRun): [string, ...string[]] => [
  ...(prefix as []),
  `${root}/bin/node`,
  '--test',
  `--test-reporter=${root}/scripts/testing/reporter.ts`,
  `--test-concurrency=${JOBS}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  ...(namePattern === undefined ? [] : [`--test-name-pattern=${namePattern}`]),
  ...files,
];

/** Keeps what each file printed, and adds it to the file's failures. */
class OutputKeeper {
  readonly #texts = new Map<string, string>();

  keep(file: string, text: string): void {
    this.#texts.set(file, `${this.#texts.get(file) ?? ''}${text}`.slice(-KEPT_OUTPUT));
  }

  explain(result: TestResult): TestResult {
    const printed = this.#texts.get(result.file);
    if (result.outcome !== 'failed' || !printed) return result;
    return { ...result, detail: `${result.detail ?? ''}\nprinted by the file so far:\n${printed.trimEnd()}` };
  }
}

/** Runs the files of one group and tells each result as it comes. What ends without telling counts as a failure. */
export const runGroup = async (run: GroupRun): Promise<void> => {
  const { env, signal, onResult } = run;
  const [program, ...args] = commandOf(run);
  const child = spawn(program, args, {
    cwd: sourceRoot,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  using _watch = new HangWatch(child.pid ?? 0, FILE_TIMEOUT_MS);
  const kept = new OutputKeeper();
  let failures = 0;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_OUTPUT);
  });
  const closed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killedBy) => resolve(code === 0 ? '' : `ended with ${killedBy ?? code}`));
  });
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as ReporterLine;
    if (line.outcome === 'output') {
      kept.keep(line.file, line.text);
      continue;
    }
    if (line.outcome === 'failed') failures += 1;
    onResult(kept.explain(line));
  }
  const ending = await closed;
  if (ending && failures === 0 && !signal.aborted) {
    onResult({ outcome: 'failed', file: '', name: 'the test runner', detail: `${ending}\n${stderr}` });
  }
};
