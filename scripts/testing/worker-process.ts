import { type ChildProcess, spawn } from 'node:child_process';
import type { TestResult } from './result.ts';

/** What a worker is told: the file (from the root of the repository) to run next, or that there is none. */
export interface WorkerOrder {
  readonly file: string | undefined;
}

/** What a worker tells: each result, and that nothing of the file is left in its process. */
export type WorkerMessage = TestResult | { readonly outcome: 'ended' };

export interface WorkerOptions {
  /** The program and its arguments: `worker.ts` in Node.js. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  onResult(result: TestResult): void;
}

/** No file takes that long. One whose tests are over but which something keeps alive would never end. */
const FILE_TIMEOUT_MS = 150_000;
const KEPT_OUTPUT = 64 * 1024;

/** One process that runs test files (`worker.ts`), one after another, and what it has printed. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<string>;
  readonly #onResult: WorkerOptions['onResult'];
  readonly #signal: AbortSignal;
  #output = '';
  #place = '';
  #ended: (() => void) | undefined;
  #isAlive = true;

  constructor({ command: [program, ...args], cwd, env, signal, onResult }: WorkerOptions) {
    this.#onResult = onResult;
    this.#signal = signal;
    this.#child = spawn(program, args, {
      ...{ cwd, env, signal, killSignal: 'SIGKILL' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    this.#child.on('message', (message: WorkerMessage) => this.#hear(message));
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('close', (code, killedBy) => resolve(`ended with ${killedBy ?? code}`));
    });
    this.#closed.then(() => {
      this.#isAlive = false;
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Resolves when the file is over. Where the process ends instead, that is a failure of the file. */
  async run(file: string): Promise<void> {
    this.#output = '';
    this.#place = 'before any result';
    const ended = new Promise<undefined>((resolve) => {
      this.#ended = () => resolve(undefined);
    });
    let reason = '';
    const timer = setTimeout(() => {
      reason = `did not end within ${FILE_TIMEOUT_MS / 1000} s, and was killed: `;
      this.#child.kill('SIGKILL');
    }, FILE_TIMEOUT_MS);
    this.#order({ file });
    const ending = await Promise.race([ended, this.#closed]);
    clearTimeout(timer);
    if (ending === undefined || this.#signal.aborted) return;
    const detail = `${reason}the process ${ending} ${this.#place}`;
    this.#tell({ outcome: 'failed', file, name: file, detail });
  }

  /** Lets the process end: there is no further file. */
  async end(): Promise<void> {
    this.#order({ file: undefined });
    await this.#closed;
  }

  #order(order: WorkerOrder): void {
    if (this.#child.connected) this.#child.send(order, () => {}); // a process that is gone is told by its end
  }

  #hear(message: WorkerMessage): void {
    if (message.outcome !== 'ended') this.#place = `after the result of "${message.name}"`;
    // What was printed before it was sent is in the other pipes, and read before the next turn of the event loop.
    setImmediate(() => {
      if (message.outcome === 'ended') this.#ended?.();
      else this.#tell(message);
    });
  }

  /** A failure comes with what the file has printed. */
  #tell(result: TestResult): void {
    const printed = result.outcome === 'failed' ? this.#output.trimEnd() : '';
    const addition = printed && `\nprinted by the file so far:\n${printed}`;
    this.#onResult(addition ? { ...result, detail: `${result.detail ?? ''}${addition}` } : result);
  }
}
