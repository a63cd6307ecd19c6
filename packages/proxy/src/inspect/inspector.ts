import type { Socket } from 'node:net';
import type { UpstreamConnection } from '../exchange/exchange.ts';
import { type GraphqlReader, loadGraphqlReader } from '../graphql/graphql-reader.ts';
import { IdleClock } from '../http1/idle-clock.ts';
import { Http1Upstream } from '../http1/upstream.ts';
import { Http2Upstream } from '../http2/upstream.ts';
import type { InferenceService } from '../inference/service.ts';
import type { Limits } from '../limits.ts';
import { once } from '../once.ts';
import type { Admit, ReadRequest } from '../tenant/adoption.ts';
import { ByteBudget } from '../tenant/byte-budget.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import type { AuthorityRing } from '../tls/authority-ring.ts';
import { LeafCache } from '../tls/leaf-cache.ts';
import { UpstreamTrust } from '../tls/trust.ts';
import type { PooledConnection } from '../upstream/destination.ts';
import type { UpstreamOptions } from '../upstream/opener.ts';
import { UpstreamPool } from '../upstream/pool.ts';
import { Databases } from './database.ts';
import { type OpenInferenceOptions, openInference } from './inference.ts';
import { serveHttp } from './inspected-connection.ts';
import { type OpenOptions, openConnection } from './open.ts';

/** What an inspected connection may use, besides what every connection of its tenant may. */
export interface InspectorContext extends TenantContext {
  /** Connections that requests go out on. */
  readonly pool: UpstreamPool;
  /** What clients are shown in the place of the origin's certificate. */
  readonly leaves: () => LeafCache;
  readonly databases: Databases;
  /** Ends client connections on which nothing moves. */
  readonly idle: IdleClock;
  readonly webSocketBudget: ByteBudget;
  /** Loaded with the first request to inference.local. */
  readonly inference: () => Promise<InferenceService>;
  readonly graphql: () => GraphqlReader | Promise<GraphqlReader>;
}

export interface InspectorsOptions {
  readonly limits: Limits;
  readonly authority: AuthorityRing;
  /** The machine's own authorities and no proxy, when absent. */
  readonly upstream: UpstreamOptions | undefined;
}

/** The inspectors of one proxy, and what they share: certificates, parsers, trust. */
export class Inspectors {
  readonly #leaves: () => LeafCache;
  readonly #graphql: () => GraphqlReader | Promise<GraphqlReader>;
  readonly #upstream: UpstreamOptions;

  constructor({ limits, authority, upstream }: InspectorsOptions) {
    this.#leaves = once(() => new LeafCache(authority, limits));
    this.#graphql = loadedOnce(() => loadGraphqlReader(limits));
    this.#upstream = upstream ?? { trust: new UpstreamTrust({}) };
  }

  forTenant(context: TenantContext): Inspector {
    return new Inspector(context, { leaves: this.#leaves, graphql: this.#graphql, upstream: this.#upstream });
  }
}

interface Shared extends Pick<InspectorContext, 'leaves' | 'graphql'> {
  readonly upstream: UpstreamOptions;
}

/**
 * What looks into the connections of one tenant. Loaded with the first one that has to be looked into: a sandbox whose policy
 * is about connections alone neither waits for it nor pays for it.
 */
export class Inspector {
  readonly #context: InspectorContext;

  constructor(tenant: TenantContext, { leaves, graphql, upstream }: Shared) {
    const { limits, planner } = tenant;
    const make = (socket: Socket, protocol: 'h1' | 'h2'): UpstreamConnection =>
      protocol === 'h1' ? new Http1Upstream(socket, limits) : new Http2Upstream({ socket, limits });
    const pool = new UpstreamPool({ ...upstream, resolver: planner.resolver, limits, make });
    this.#context = {
      ...tenant,
      pool,
      leaves,
      graphql,
      databases: new Databases(upstream.trust, limits),
      idle: new IdleClock(limits.keepAliveTime / 4),
      webSocketBudget: new ByteBudget(limits.webSocketAssemblyBytes, tenant.held),
      inference: once(async () => {
        const { InferenceService } = await import('../inference/service.ts');
        return new InferenceService({ connections: pool, planner, limits, held: tenant.held });
      }),
    };
  }

  /** Serves a granted connection by what it speaks. Resolves when it has ended. */
  open(connection: Connection, options: OpenOptions): Promise<void> {
    return openConnection(connection, this.#context, options);
  }

  /** Serves a connection to the proxy's own host. */
  openInference(connection: Connection, options: OpenInferenceOptions): Promise<void> {
    return openInference(connection, this.#context, options);
  }

  /** Serves requests that each name their destination, the first of which was read already. */
  serveForward(connection: Connection, { head, rest }: ReadRequest, admit?: Admit): Promise<void> {
    const { socket } = connection;
    return serveHttp({
      connection,
      context: this.#context,
      socket,
      protocol: 'h1',
      scheme: 'http',
      form: 'absolute',
      first: head,
      initial: rest,
      admit,
    });
  }

  /** Kept connections for which this is true get no further request. */
  retire(isRetired: (connection: PooledConnection) => boolean): void {
    this.#context.pool.retire(isRetired);
  }

  close(): void {
    this.#context.pool.close();
  }
}

/** Loaded with the first request that needs it; from then on without a promise. */
function loadedOnce<T>(load: () => Promise<T>): () => T | Promise<T> {
  let state: T | Promise<T> | undefined;
  return () => {
    state ??= load().then(
      (loaded) => {
        state = loaded;
        return loaded;
      },
      (thrown: unknown) => {
        // The next request tries again.
        state = undefined;
        throw thrown;
      },
    );
    return state;
  };
}
