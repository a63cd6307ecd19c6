import { createRequire } from 'node:module';
import { messageOf } from '@openshell/base';
import type { Json, JsonObject } from '@openshell/rego';
import { usageError } from '../command/usage-error.ts';

/** What is neither a list nor a scalar. */
export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The value of a JSON or YAML file, by its name's ending; YAML where there is none that is known.
 * @throws OpenShellError with code `usage`, naming the file and the place
 */
export const parseData = (file: string, text: string): Json => {
  try {
    return (file.endsWith('.json') ? JSON.parse(text) : yaml().parse(text, { maxAliasCount: 100 })) as Json;
  } catch (cause) {
    const [reason = ''] = messageOf(cause).split('\n');
    throw usageError(`${file} cannot be parsed: ${reason}`);
  }
};

/** Loaded for files that are YAML only: it takes longer than everything else here. */
const yaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml') as typeof import('yaml');

/**
 * Two documents in one, member by member.
 * @throws OpenShellError with code `usage` where both have something else than objects
 */
export const mergeData = (a: JsonObject, b: JsonObject, file: string): JsonObject => {
  const merged = new Map(Object.entries(a));
  for (const [name, value] of Object.entries(b)) {
    const known = merged.get(name);
    if (known === undefined) merged.set(name, value);
    else if (isJsonObject(known) && isJsonObject(value)) merged.set(name, mergeData(known, value, file));
    else
      throw usageError(
        `${file} has "${name}" where another file has something else`,
        'Each value has one place.',
      );
  }
  return Object.fromEntries(merged);
};
