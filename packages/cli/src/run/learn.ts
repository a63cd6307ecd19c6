import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { RunOptions } from '@openshell/sandbox';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';

type Decider = Pick<RunOptions, 'policy' | 'rules'>;

/**
 * Where a learned policy goes, and the policy that the run has then. A file that is there is the run's policy, and is added to; it is
 * never overwritten.
 *
 * @throws OpenShellError with code `usage`.
 */
export const readLearn = (
  args: Arguments,
  { policy, rules }: Decider,
): Pick<RunOptions, 'learn' | 'policy'> => {
  const text = args.value('learn');
  if (text === undefined) return {};
  if (rules !== undefined)
    throw usageError(
      '--learn: rules decide in this run, and what they would need cannot be written as a policy',
      'Leave out --policy-rules, --policy-engine, --opa-url and --policy-wasm.',
    );
  const file = resolve(text);
  const existing = statSync(file, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isFile()) throw usageError(`--learn: ${text} is not a file`);
  mustBeWritable(dirname(file), text);
  if (existing === undefined) return { learn: { file, exists: false } };
  if (policy !== undefined && realpathSync(policy.file) !== realpathSync(file))
    throw usageError(
      `--learn: ${text} exists, and --policy is another file`,
      `Leave out --policy to add to ${text}, or name a file that does not exist.`,
    );
  return { learn: { file: realpathSync(file), exists: true }, policy: { file: text } };
};

/** The file is made new beside the old one, so that it is never half a policy. */
const mustBeWritable = (directory: string, text: string): void => {
  try {
    accessSync(directory, constants.W_OK);
  } catch {
    throw usageError(`--learn: ${text} cannot be written: no files can be made in ${directory}`);
  }
};
