import type { Severity } from '@openshell/audit';

/** What can happen to an authority that an operator should learn of, and how much somebody should care. */
const SEVERITIES = {
  prepared: 'info',
  activated: 'info',
  retired: 'info',
  withdrawn: 'info',
  expiring: 'medium',
  expired: 'high',
  /** A new pair cannot be used; the last good one stays. */
  refused: 'medium',
  /** The bundle could not be written to where clients find it. */
  unwritable: 'medium',
  /** A key can be read by others. */
  exposed: 'low',
} as const satisfies Record<string, Severity>;

export interface AuthorityNotice {
  readonly kind: keyof typeof SEVERITIES;
  readonly severity: Severity;
  readonly message: string;
}

export const authorityNotice = (kind: AuthorityNotice['kind'], message: string): AuthorityNotice => ({
  kind,
  severity: SEVERITIES[kind],
  message,
});
