import type { Socket } from 'node:net';
import type { ClientExchange, RequestMessage } from '../exchange/exchange.ts';
import type { RequestHead } from '../http/request-head.ts';
import { Http1Downstream } from '../http1/downstream.ts';
import type { TargetForm } from '../http1/request-message.ts';
import { serveHttp2 } from '../http2/downstream.ts';
import type { RelayHandle } from '../relay/relay-handle.ts';
import type { Admit } from '../tenant/adoption.ts';
import type { Connection } from '../tenant/connection.ts';
import { ExchangeRun } from './exchange-run.ts';
import { ForwardGrants, TunnelGrants } from './grants.ts';
import type { InspectorContext } from './inspector.ts';
import type { Granted, InspectionContext } from './session.ts';

export interface ServeHttpOptions {
  readonly connection: Connection;
  readonly context: InspectorContext;
  /** The connection's own, or TLS on top of it. */
  readonly socket: Socket;
  readonly protocol: 'h1' | 'h2';
  readonly scheme: 'http' | 'https';
  readonly form: TargetForm;
  /** A head that was read before, and the bytes behind it. HTTP/1 only. */
  readonly first?: RequestHead | undefined;
  readonly initial?: Buffer | undefined;
  /** HTTP/1 only. */
  readonly admit?: Admit | undefined;
  /** Requests that no policy is asked about, because the proxy answers them itself. */
  readonly serve?: ((exchange: ClientExchange) => void) | undefined;
}

/** Serves the requests of one client connection, whatever it came by. Resolves when it has ended. */
export function serveHttp(options: ServeHttpOptions): Promise<void> {
  return new InspectedConnection(options).done;
}

class InspectedConnection implements RelayHandle {
  readonly done: Promise<void>;
  readonly #runs = new Set<ExchangeRun>();
  readonly #close: () => void;
  readonly #drain: () => void;
  readonly #destroy: (reason: string) => void;

  constructor(options: ServeHttpOptions) {
    const { connection, context, socket, scheme, initial, protocol, form } = options;
    const { limits } = context;
    const shared = this.#shared(options);
    const serve =
      options.serve ?? ((exchange: ClientExchange) => void new ExchangeRun(shared, exchange).run());
    if (protocol === 'h2') {
      const downstream = serveHttp2({ socket, initial, scheme, limits, onExchange: serve });
      this.#close = () => downstream.close();
      this.#drain = () => downstream.drain();
      this.#destroy = () => downstream.destroy();
      this.done = downstream.done;
      this.#opened(options);
      return;
    }
    const downstream = new Http1Downstream({
      ...{ socket, scheme, form, limits, initial, serve },
      idle: context.idle,
      first: options.first,
      admit: options.admit,
      onFault: (detail) => context.reporter.malformedRequest(connection, detail),
    });
    this.#close = () => downstream.close();
    this.#drain = () => downstream.drain();
    this.#destroy = (reason) => downstream.destroy(reason);
    this.done = downstream.done;
    this.#opened(options);
    downstream.start();
  }

  #opened({ connection, context }: ServeHttpOptions): void {
    connection.opened();
    context.opened(connection);
    connection.relaying(this);
  }

  /** What has a last word of its own says it: the answer to a request that has none yet, a WebSocket's close frame. */
  abort(reason: string): void {
    this.#close();
    for (const run of this.#runs) run.revoke(reason);
    if ([...this.#runs].some((run) => !run.isUpgraded)) this.#destroy(reason);
  }

  /** A new generation: everything that is under way is asked about again. */
  reconsider(): void {
    for (const run of this.#runs) void run.reconsider();
  }

  drain(): void {
    this.#drain();
  }

  #shared({ connection, context, form }: ServeHttpOptions): InspectionContext {
    const grants =
      form === 'absolute' ? new ForwardGrants(connection, context) : new TunnelGrants(connection, context);
    return {
      limits: context.limits,
      planner: context.planner,
      reporter: context.reporter,
      pool: context.pool,
      webSocketBudget: context.webSocketBudget,
      held: context.held,
      signal: connection.signal,
      trace: connection.trace,
      runs: this.#runs,
      get intent() {
        return connection.grant?.intent;
      },
      settings: context.settings,
      graphql: context.graphql,
      grantFor: (request: RequestMessage): Granted | Promise<Granted> => grants.grantFor(request),
      fault: (detail) => context.reporter.fault(connection, detail),
    };
  }
}
