import type { Intent } from '@openshell/policy';
import type { Planner } from '../destination/plan.ts';
import type { RequestMessage } from '../exchange/exchange.ts';
import type { GraphqlReader } from '../graphql/graphql-reader.ts';
import type { Limits } from '../limits.ts';
import type { ByteBudget } from '../tenant/byte-budget.ts';
import type { Grant } from '../tenant/connection.ts';
import type { Reporter } from '../tenant/reporter.ts';
import type { TenantSettings } from '../tenant/settings.ts';
import type { ConnectionTrace } from '../tracing/connection-trace.ts';
import type { UpstreamPool } from '../upstream/pool.ts';
import type { Answer } from './answers.ts';
import type { ExchangeRun } from './exchange-run.ts';
import type { RequestRecord } from './record.ts';

export type Granted =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | {
      readonly kind: 'refused';
      readonly answer: Answer;
      readonly outcome: Pick<RequestRecord, 'action' | 'code' | 'reason' | 'remedy' | 'policy'>;
      /** What it was for, where it was reported as a connection that is refused. */
      readonly reported?: Intent;
    };

/** What the requests of one client connection share. */
export interface InspectionContext {
  readonly limits: Limits;
  readonly planner: Planner;
  readonly reporter: Reporter;
  readonly pool: UpstreamPool;
  readonly webSocketBudget: ByteBudget;
  /** What the tenant may hold in memory. */
  readonly held: ByteBudget;
  /** Aborted when the client's connection has ended. */
  readonly signal: AbortSignal;
  /** Where the connection stands in traces. */
  readonly trace: ConnectionTrace;
  /** Requests that are under way. */
  readonly runs: Set<ExchangeRun>;
  /** Of the connection, where it leads to one destination only. */
  readonly intent: Intent | undefined;
  /** In force at this moment. */
  settings(): TenantSettings;
  graphql(): GraphqlReader | Promise<GraphqlReader>;
  /** The connection's decision for a request, or why it has none: the request names another host than was allowed. */
  grantFor(request: RequestMessage): Granted | Promise<Granted>;
  /** Something that should not happen. */
  fault(detail: string): void;
}
