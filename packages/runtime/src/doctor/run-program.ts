import { execFile } from 'node:child_process';

export type ProgramResult =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** Ended by a signal. */
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'late' }
  | { readonly kind: 'unstartable'; readonly reason: string };

export interface ProgramOptions {
  /** Milliseconds, after which the program is killed. */
  readonly limit: number;
  readonly directory?: string;
  /** For its standard input, which is empty otherwise. */
  readonly input?: Uint8Array;
}

/** Runs a program without a shell, with bounded output and a bounded time. Never rejects. */
export const runProgram = (
  file: string,
  args: readonly string[],
  { limit, directory, input }: ProgramOptions,
): Promise<ProgramResult> =>
  new Promise((resolve) => {
    const options = {
      timeout: limit,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 64 * 1024,
      ...(directory === undefined ? {} : { cwd: directory }),
    };
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ kind: 'exited', code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ kind: 'exited', code: error.code, stdout, stderr });
      else if (error.signal && error.killed) resolve({ kind: 'late' });
      else if (error.signal) resolve({ kind: 'killed', signal: error.signal });
      else resolve({ kind: 'unstartable', reason: String(error.code ?? error.message) });
    })
      .stdin?.on('error', () => {})
      .end(input);
  });
