import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ProgramFacts } from './facts.ts';
import { runProgram } from './run-program.ts';

/** Milliseconds for `--version`. */
const limit = 3_000;

/** Programs that say their version, and programs of which only the place matters. */
const versioned = ['runsc', 'crun', 'runc', 'kata-runtime'] as const;
const located = ['cc', 'gcc', 'clang', 'qemu-system-x86_64'] as const;

/** Looks for the programs that the doctor knows in the directories of PATH. */
export const findPrograms = async (path: string): Promise<ReadonlyMap<string, ProgramFacts>> => {
  const found = await Promise.all([
    ...versioned.map(async (name) => [name, await withVersion(findProgram(name, path))] as const),
    ...located.map((name) => [name, findProgram(name, path)] as const),
  ]);
  return new Map(found.filter((entry): entry is [(typeof entry)[0], ProgramFacts] => entry[1] !== undefined));
};

/** The first executable file of this name in a list of directories, as a shell would find it. */
export const findProgram = (name: string, path: string): ProgramFacts | undefined => {
  for (const directory of path.split(delimiter)) {
    const candidate = join(directory || '.', name);
    if (isExecutable(candidate)) return { path: candidate };
  }
  return undefined;
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

const withVersion = async (program: ProgramFacts | undefined): Promise<ProgramFacts | undefined> => {
  if (program === undefined) return undefined;
  const result = await runProgram(program.path, ['--version'], { limit });
  const version = result.kind === 'exited' ? result.stdout.split('\n', 1)[0]?.trim() : undefined;
  return version ? { ...program, version } : program;
};
