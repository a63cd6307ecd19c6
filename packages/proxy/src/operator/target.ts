import type { QueryParameter } from '@openshell/policy';
import { canonicalTarget, queryParameters } from '../http/canonical-target.ts';
import { LIMITS } from '../limits.ts';

/** A path and a query as policy is asked about them, or why no request can have them. For questions about a policy. */
export function readTarget(
  path: string,
  query: string,
): { readonly path: string; readonly query: readonly QueryParameter[] } | { readonly fault: string } {
  const target = canonicalTarget(query === '' ? path : `${path}?${query}`, LIMITS.pathBytes.value);
  if (target.kind === 'fault') return { fault: target.detail };
  const parameters = queryParameters(target.query);
  return parameters === undefined
    ? { fault: 'a % in the query that is not followed by what it may encode' }
    : { path: target.path, query: parameters };
}
