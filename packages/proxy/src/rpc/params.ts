import type { QueryParameter } from '@openshell/policy';
import { isJsonArray, isJsonObject, type JsonValue, scalarText } from '../json/json-value.ts';
import { foldName } from '../json/known-names.ts';
import { malformed, type Reading, understood } from '../json/reading.ts';
import type { Limits } from '../limits.ts';

export type ParamsLimits = Pick<Limits, 'rpcParams' | 'rpcNameLength'>;

/** The leaves of `params`. Refuses names of one object that differ only in case: to some readers they are one. */
export function flattenParams(params: JsonValue, limits: ParamsLimits): Reading<readonly QueryParameter[]> {
  const leaves: QueryParameter[] = [];
  const reason = collect('', params, leaves, limits);
  return reason === undefined ? understood(leaves) : malformed(reason);
}

/** Recursion is as deep as the value, which its parser has bounded. Gives the reason where something cannot be understood. */
function collect(
  path: string,
  value: JsonValue,
  leaves: QueryParameter[],
  limits: ParamsLimits,
): string | undefined {
  if (isJsonArray(value)) {
    for (const item of value) {
      const reason = collect(path, item, leaves, limits);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }
  if (isJsonObject(value)) {
    if (new Set([...value.keys()].map(foldName)).size < value.size)
      return 'two names of the parameters differ only in case';
    for (const [name, member] of value) {
      const joined = path === '' ? name : `${path}.${name}`;
      if (joined.length > limits.rpcNameLength)
        return `the names of a parameter are longer than ${limits.rpcNameLength} characters`;
      const reason = collect(joined, member, leaves, limits);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }
  leaves.push([path, scalarText(value)]);
  return leaves.length > limits.rpcParams
    ? `more than ${limits.rpcParams} values in the parameters`
    : undefined;
}
