import type { EnvironmentVariable } from '@openshell/sandbox';
import { usageError } from '../command/usage-error.ts';

/** The names that every shell can set (POSIX 8.1, with lower-case letters). */
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads `NAME=VALUE`, or `NAME` alone for the value that it has here.
 *
 * @throws OpenShellError with code `usage`: no name, an unset variable, a name given twice.
 */
export const parseEnvironment = (
  texts: readonly string[],
  here: Readonly<Record<string, string | undefined>>,
): readonly EnvironmentVariable[] => {
  const variables = texts.map((text) => parseVariable(text, here));
  const seen = new Set<string>();
  for (const { name } of variables) {
    if (seen.has(name)) throw usageError(`--env ${name} is given twice`, 'Give each name once.');
    seen.add(name);
  }
  return variables;
};

const parseVariable = (
  text: string,
  here: Readonly<Record<string, string | undefined>>,
): EnvironmentVariable => {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (!variableName.test(name)) {
    // The value is not repeated: it may be a secret, and messages end up in logs.
    throw usageError(
      `--env: '${name}' is not the name of a variable`,
      'Names have letters, digits and _, and begin with no digit.',
    );
  }
  if (equals >= 0) return { name, value: text.slice(equals + 1) };
  const value = here[name];
  if (value === undefined)
    throw usageError(`--env ${name}: ${name} is not set here`, `Set it, or write --env ${name}=VALUE.`);
  return { name, value };
};
