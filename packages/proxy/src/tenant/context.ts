import type { PolicyEngine } from '@openshell/policy';
import type { Planner } from '../destination/plan.ts';
import type { SyntheticNames } from '../dns/index.ts';
import type { Egress } from '../egress.ts';
import type { Inspector } from '../inspect/inspector.ts';
import type { Limits } from '../limits.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Connection } from './connection.ts';
import type { Reporter } from './reporter.ts';
import type { TenantSettings } from './settings.ts';

/** What an adapter may use of its tenant. */
export interface TenantContext {
  readonly limits: Limits;
  readonly egress: Egress;
  readonly reporter: Reporter;
  readonly names: SyntheticNames;
  readonly engine: () => PolicyEngine;
  /** Everything that is in force at this moment. */
  readonly settings: () => TenantSettings;
  readonly planner: Planner;
  /** Bodies and messages that are held in memory. */
  readonly held: ByteBudget;
  /** What looks into connections; loaded with the first that has to be. */
  readonly inspector: () => Promise<Inspector>;
  /** The connection has reached its destination and no longer counts as a handshake. */
  readonly opened: (connection: Connection) => void;
}
