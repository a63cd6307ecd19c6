import type { PolicyEngine } from '@openshell/policy';
import type { SyntheticNames } from '../dns/synthetic-names.ts';
import type { Egress } from '../egress.ts';
import type { Limits } from '../limits.ts';
import type { Connection } from './connection.ts';
import type { Reporter } from './reporter.ts';

/** What an adapter may use of its tenant. */
export interface TenantContext {
  readonly limits: Limits;
  readonly egress: Egress;
  readonly reporter: Reporter;
  readonly names: SyntheticNames;
  readonly engine: () => PolicyEngine;
  /** The connection has reached its destination and no longer counts as a handshake. */
  readonly opened: (connection: Connection) => void;
}
