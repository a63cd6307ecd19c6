import type { DestinationRule } from '@openshell/policy';
import type { DestinationPlan, Target } from '../destination/plan.ts';
import type { UpstreamConnection } from '../exchange/exchange.ts';

/** Where a request goes, as far as the choice of a connection depends on it. */
export interface UpstreamDestination {
  readonly scheme: 'http' | 'https';
  /** Canonical. */
  readonly host: string;
  readonly port: number;
  /** What may be spoken; over TLS the upstream chooses. Plain connections speak the first. */
  readonly protocols: readonly ['h1' | 'h2', ...('h1' | 'h2')[]];
  /** Requests share a connection only with those of the same partition: the scope of the credentials that they carry. */
  readonly partition: string;
  /** What the policy's decision says about addresses: a connection that was opened under another rule is compared with it. */
  readonly rule: DestinationRule;
  /** Resolves and checks. Called only when a connection has to be opened. */
  plan(): Promise<DestinationPlan>;
}

/** A connection of the pool, for whoever decides whether it may stay. */
export interface PooledConnection {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly partition: string;
  /** The checked address; with an upstream proxy, what it was asked for. */
  readonly target: Target;
  /** The operator named the address. */
  readonly overridden: boolean;
  readonly connection: UpstreamConnection;
}
