import type { Socket } from 'node:net';
import type { Inspection, RequestDecision, RequestFacts, RequestRule } from '@openshell/policy';
import type { Limits } from '../limits.ts';
import type { RelayHandle } from '../relay/relay-handle.ts';
import { CancelKeys } from '../sql/cancel-keys.ts';
import type { SqlContent, SqlLeg, SqlOptions, SqlResult } from '../sql/options.ts';
import { serveSql } from '../sql/serve.ts';
import type { Connection } from '../tenant/connection.ts';
import { type AlpnProtocol, intercept } from '../tls/intercept.ts';
import { secureUpstream } from '../tls/secure-upstream.ts';
import { SessionCache } from '../tls/session-cache.ts';
import type { UpstreamTrust } from '../tls/trust.ts';
import { PlainUpstream } from '../upstream/plain-upstream.ts';
import type { InspectorContext } from './inspector.ts';

/** Whether what is said on a connection are statements to a database. One such endpoint is enough: the others then refuse them. */
export const speaksSql = (inspection: Inspection | undefined): boolean =>
  inspection?.treatments.some(({ endpoint }) => endpoint.protocol === 'sql') ?? false;

/** What the database connections of one tenant share. */
export class Databases {
  readonly trust: UpstreamTrust;
  readonly sessions: SessionCache;
  readonly cancelKeys = new CancelKeys();

  constructor(trust: UpstreamTrust, limits: Limits) {
    this.trust = trust;
    this.sessions = new SessionCache(limits.tlsSessions);
  }
}

/** Serves a granted connection to a database, statement by statement. Resolves when it has ended. */
export function serveDatabase(
  connection: Connection,
  context: InspectorContext,
  initial: Buffer = Buffer.alloc(0),
): Promise<void> {
  const served = new DatabaseConnection(connection, context, initial);
  connection.opened();
  context.opened(connection);
  context.reporter.opened(connection);
  connection.relaying(served);
  return served.done.then((result) => context.reporter.closed(connection, result));
}

class DatabaseConnection implements RelayHandle {
  readonly done: Promise<SqlResult>;
  readonly #connection: Connection;
  readonly #context: InspectorContext;
  readonly #abort = new AbortController();
  readonly #readOnly: boolean;

  constructor(connection: Connection, context: InspectorContext, initial: Buffer) {
    this.#connection = connection;
    this.#context = context;
    this.#readOnly = this.#asks(onlyReads);
    this.done = serveSql(this.#options(initial));
  }

  abort(reason: string): void {
    this.#abort.abort(new Error(reason));
  }

  /** Each statement is asked about anyway; but the server was told at the start whether anything may be written. */
  reconsider(): void {
    if (!this.#readOnly && this.#asks(onlyReads)) this.abort('the policy allows only reading now');
  }

  /** What a database session holds (transactions, prepared statements) would be lost: it goes on. */
  drain(): void {}

  #asks(what: (inspection: Inspection) => boolean): boolean {
    const { inspection } = this.#connection.grant!.decision;
    return inspection !== undefined && what(inspection);
  }

  #options(initial: Buffer): SqlOptions {
    const { reporter, databases, limits, engine } = this.#context;
    const { intent } = this.#connection.grant!;
    const traceId = this.#connection.trace.id;
    const tableRules = (): boolean => this.#asks(namesTables);
    return {
      client: this.#connection.socket,
      initial,
      host: intent.host,
      port: intent.port,
      readOnly: this.#readOnly,
      // Of the policy in force: a rule about tables may have come since the connection began.
      get tableRules() {
        return tableRules();
      },
      openUpstream: () => this.#open(),
      intercept: (socket, bytes, alpn) => this.#intercept(socket, bytes, alpn),
      secureUpstream: (socket, alpn) => this.#secure(socket, alpn),
      authorize: (content) => this.#authorize(content),
      generation: () => engine().generation,
      report: (record) => reporter.statement(intent, record, traceId),
      cancelKeys: databases.cancelKeys,
      held: this.#context.held,
      limits,
      signal: this.#abort.signal,
    };
  }

  #authorize(content: SqlContent): RequestDecision | Promise<RequestDecision> {
    const engine = this.#context.engine();
    const { intent } = this.#connection.grant!;
    const decision = engine.authorizeRequest(intent, factsOf(content));
    if (!(decision instanceof Promise)) return decision;
    // A policy that was installed meanwhile has not seen this statement: it decides instead.
    return decision.then((made) => (engine === this.#context.engine() ? made : this.#authorize(content)));
  }

  async #open(): Promise<SqlLeg> {
    const outcome = await this.#context.egress.connectWith(
      this.#connection,
      (target) => new PlainUpstream(target),
    );
    switch (outcome.kind) {
      case 'open':
        return { kind: 'open', socket: outcome.upstream.socket };
      case 'refused':
        return { kind: 'failed', code: outcome.code, detail: outcome.reason, remedy: outcome.remedy };
      case 'gone':
        return { kind: 'failed', code: 'gone', detail: 'the client has gone' };
      default:
        return outcome satisfies never;
    }
  }

  async #intercept(socket: Socket, initial: Buffer, alpn: readonly AlpnProtocol[]): Promise<SqlLeg> {
    const { limits } = this.#context;
    const { host } = this.#connection.grant!.intent;
    const leaves = this.#context.leaves();
    const { signal } = this.#abort;
    const result = await intercept({ socket, initial, host, leaves, alpn, limits, signal });
    if (result.kind === 'intercepted') return { kind: 'open', socket: result.socket };
    return result;
  }

  async #secure(socket: Socket, alpn: readonly AlpnProtocol[]): Promise<SqlLeg> {
    const { databases, limits } = this.#context;
    const { trust, sessions } = databases;
    const { host, port } = this.#connection.grant!.intent;
    const { signal } = this.#abort;
    const secured = await secureUpstream({ socket, host, port, alpn, trust, sessions, limits, signal });
    if (secured.kind === 'secured') return { kind: 'open', socket: secured.socket };
    const { code, detail, remedy } = secured.failure;
    return { kind: 'failed', code, detail, remedy };
  }
}

/** A message to a database has neither method nor path; policy is asked about what is in it. */
const factsOf = (content: SqlContent): RequestFacts => ({
  method: 'QUERY',
  path: '/',
  query: [],
  content,
  from: 'client',
});

/** Whether every endpoint lets nothing but reading pass: each may allow what the others do not. */
const onlyReads = ({ treatments }: Inspection): boolean =>
  treatments.every(
    ({ endpoint: { access, enforcement } }) => access === 'read-only' && enforcement === 'enforce',
  );

const namesTables = ({ treatments }: Inspection): boolean =>
  treatments.some(({ endpoint: { rules = [], denyRules = [] } }) =>
    [...rules, ...denyRules].some(({ tables }: RequestRule) => tables !== undefined),
  );
