import { randomUUID } from 'node:crypto';
import type { PushedSecrets } from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import { readPolicyText } from '../policy/read-policy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const WORD = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(env|file):(.+))?$/s;

/**
 * What `--secret` says, with the values from where it says. Undefined: there is none.
 *
 * @throws OpenShellError with code `usage` or `unreadable`, never with a value in it.
 */
export const pushedSecrets = (args: Arguments, env: Environment): PushedSecrets | undefined => {
  const words = args.values('secret');
  const revision = args.value('revision');
  if (words.length === 0) {
    if (revision === undefined) return undefined;
    throw usageError(
      '--revision names a set of secrets, and there is no --secret',
      'Write --secret NAME too.',
    );
  }
  const values = new Map<string, string>();
  for (const word of words) {
    const { name, value } = readSecret(word, env);
    if (values.has(name)) throw usageError(`--secret ${name} is given twice`, 'Give each name once.');
    values.set(name, value);
  }
  return { kind: 'values', revision: revision ?? randomUUID(), values };
};

const readSecret = (word: string, env: Environment): { readonly name: string; readonly value: string } => {
  const [, name, kind = 'env', from = name] = WORD.exec(word) ?? [];
  if (name === undefined || from === undefined) {
    // What follows the = is not repeated: it may be the secret itself.
    const shown = word.split('=', 1)[0];
    throw usageError(
      `--secret ${shown}: not NAME, NAME=env:VARIABLE or NAME=file:FILE`,
      'A value does not stand on a command line, which others can read.',
    );
  }
  const value = kind === 'file' ? readPolicyText(from).text.replace(/\r?\n$/, '') : env[from];
  if (value === undefined) throw usageError(`--secret ${name}: the variable ${from} is not set here`);
  if (value === '') throw usageError(`--secret ${name}: its value is empty in ${kind} ${from}`);
  return { name, value };
};
