import type { Denial } from './denial.ts';

/** Refusals that say no more than that nothing allows it. */
const PROPOSED: ReadonlySet<string> = new Set([
  'no_policy',
  'endpoint_not_allowed',
  'binary_not_allowed',
  'request_not_allowed',
]);

/** Refusals that a policy cannot or should not lift, and why. */
const REASONS: Readonly<Record<string, string>> = {
  ssrf_denied: 'the name leads to an address that is protected; only the operator can say that it is meant',
  request_denied: 'a deny rule refuses it on purpose',
  request_malformed: 'it could not be understood, so no rule can speak about it',
  identity_unknown: 'the program is not known, so nothing can be allowed for it',
  rules_denied: 'rules of your own refuse it; change them',
  rules_failed: 'rules of your own gave no answer that could be used; correct them',
  name_mismatch: 'the names in the request contradict each other',
  request_authority_mismatch: 'the host in the request is not the one that was connected to',
};

/** Why nothing is proposed for a denial; undefined: something may be. */
export function obstacle({ code, binary, path }: Denial): string | undefined {
  if (!PROPOSED.has(code)) return REASONS[code] ?? `"${code}" is not something that a policy allows`;
  if (binary === undefined) return REASONS.identity_unknown;
  return path?.includes('[CREDENTIAL]') === true
    ? 'its path holds a credential; write a rule with a pattern for that part'
    : undefined;
}
