import type { Evidence } from '@openshell/policy';
import type { ProcessIdentity } from '@openshell/runtime';

/** What the runtime found out about a connection, in the words of the policy. */
export const evidenceOf = (identity: ProcessIdentity): Evidence =>
  identity.kind === 'process' ? identity : { kind: 'unknown', reason: identity.reason };
