import type { PolicyEngine } from '@openshell/policy';
import type { Planner } from '../destination/plan.ts';
import type { SyntheticNames } from '../dns/synthetic-names.ts';
import type { Egress } from '../egress.ts';
import type { GraphqlReader } from '../graphql/graphql-reader.ts';
import type { Databases } from '../inspect/database.ts';
import type { Limits } from '../limits.ts';
import type { LeafCache } from '../tls/leaf-cache.ts';
import type { UpstreamPool } from '../upstream/pool.ts';
import type { ByteBudget } from '../websocket/byte-budget.ts';
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
  /** Connections that requests go out on. */
  readonly pool: UpstreamPool;
  /** What clients are shown in the place of the origin's certificate. */
  readonly leaves: () => LeafCache;
  readonly databases: Databases;
  readonly webSocketBudget: ByteBudget;
  readonly graphql: () => GraphqlReader | Promise<GraphqlReader>;
  /** The connection has reached its destination and no longer counts as a handshake. */
  readonly opened: (connection: Connection) => void;
}
