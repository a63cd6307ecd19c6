import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { OPENSHELL } from './paths.ts';

export interface OpenShellOptions {
  readonly cwd?: string;
  /** Beside PATH, HOME and TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; nothing when absent. */
  readonly input?: string | Uint8Array;
}

export interface Outcome {
  /** As a shell would say it: 128 + n when openshell itself was ended by signal n. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: process.env.HOME ?? '/nonexistent',
  TMPDIR: tmpdir(),
  // The user's own configuration has no say in tests.
  XDG_CONFIG_HOME: '/nonexistent',
  ...more,
});

/** A running `openshell`, with what it has written so far. */
export class Started {
  readonly child: ChildProcess;
  readonly finished: Promise<Outcome>;
  readonly #written = { stdout: '', stderr: '' };

  constructor(args: readonly string[], options: OpenShellOptions = {}) {
    this.child = spawn(OPENSHELL, args, {
      cwd: options.cwd ?? tmpdir(),
      env: environment(options.env),
      stdio: 'pipe',
      // Nothing takes that long: a command that waits for ever fails its test instead of holding up all of them.
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this.#written[name] += text;
      });
    }
    this.child.stdin?.on('error', () => {}); // the command may end without reading
    if (options.input !== undefined) this.child.stdin?.end(options.input);
    this.finished = once(this.child, 'close').then(([code, signal]) => ({ code, signal, ...this.#written }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves when standard output holds `text`; rejects when the command ends without it. */
  async prints(text: string): Promise<void> {
    while (!this.#written.stdout.includes(text)) {
      const more = once(this.child.stdout!, 'data').then(() => true);
      more.catch(() => {}); // the stream may fail after the race was won
      if (await Promise.race([more, this.finished.then(() => false)])) continue;
      if (this.#written.stdout.includes(text)) return;
      throw new Error(`ended without ${JSON.stringify(text)}: ${JSON.stringify(await this.finished)}`);
    }
  }

  /** Sends a line to the command. */
  type(text: string): void {
    this.child.stdin?.write(text);
  }
}

/** Runs `openshell ARGUMENTS` to its end. */
export const openshell = (args: readonly string[], options: OpenShellOptions = {}): Promise<Outcome> =>
  new Started(args, { input: '', ...options }).finished;

/** Runs a shell script in a sandbox: `openshell run OPTIONS -- sh -c SCRIPT`. */
export const runScript = (
  script: string,
  { options = [], ...rest }: OpenShellOptions & { readonly options?: readonly string[] } = {},
): Promise<Outcome> => openshell(['run', ...options, '--', 'sh', '-c', script], rest);
