import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Compilation {
  readonly sources: readonly string[];
  readonly output: string;
  readonly flags?: readonly string[];
  /** `cc` unless told. */
  readonly compiler?: string;
}

/** Builds a C program; static, so that it needs nothing of the place where it runs. Rejects with the compiler's words. */
export const compile = async ({
  sources,
  output,
  flags = ['-static', '-O1'],
  compiler = 'cc',
}: Compilation): Promise<void> => {
  await run(compiler, [...flags, '-Wall', '-Wextra', '-Werror', '-o', output, ...sources]);
};
