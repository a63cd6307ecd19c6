import { accessSync, constants } from 'node:fs';
import { captureRules } from '../network/index.ts';
import { encodeProbe } from '../spec/encode.ts';
import type { LauncherFacts, ProbeAnswer } from './facts.ts';
import { runProgram } from './run-program.ts';

/** Milliseconds. The launcher needs a few; a loaded machine some more. */
const limit = 10_000;

/** The very rules that a sandbox has; the port is as good as any other. */
const probed = [captureRules(4, 1), captureRules(6, 1)];

/**
 * Asks the launcher what the kernel gives to this user. It tries each thing in a child of its own.
 *
 * @param directory on whose file system identity-mapped mounts are tried.
 */
export const probeLauncher = async (path: string | undefined, directory: string): Promise<LauncherFacts> => {
  if (path === undefined) return { kind: 'absent' };
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return { kind: 'absent' };
  }
  const result = await runProgram(path, ['--probe'], { limit, directory, input: encodeProbe(probed) });
  switch (result.kind) {
    case 'exited': {
      const answers = parseProbe(result.stdout);
      if (result.code === 0 && answers.size > 0) return { kind: 'answered', path, answers };
      return { kind: 'failed', path, reason: `exit code ${result.code}` };
    }
    case 'killed':
      return { kind: 'failed', path, reason: `ended by ${result.signal}` };
    case 'late':
      return { kind: 'failed', path, reason: `no answer within ${limit / 1000} s` };
    case 'unstartable':
      return { kind: 'failed', path, reason: result.reason };
    default:
      return result satisfies never;
  }
};

/** Lines of `key value [errno]`. A line of another form belongs to a newer launcher, and is skipped. */
export const parseProbe = (text: string): ReadonlyMap<string, ProbeAnswer> => {
  const answers = new Map<string, ProbeAnswer>();
  for (const line of text.split('\n')) {
    const parts = /^([a-z][a-z0-9_]*) (\d+)(?: (\d+))?$/.exec(line.trim());
    if (parts !== null) answers.set(parts[1]!, { value: Number(parts[2]), errno: Number(parts[3] ?? 0) });
  }
  return answers;
};
