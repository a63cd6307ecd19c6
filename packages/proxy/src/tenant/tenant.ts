import type { Server, Socket } from 'node:net';
import type { Refusal, SecurityEvent } from '@openshell/audit';
import { type Generation, messageOf, type SandboxId } from '@openshell/base';
import type { TenantCounters, TenantLimits } from '@openshell/control';
import type { ConnectDecision, PolicyEngine } from '@openshell/policy';
import { serveExplicit } from '../adapters/explicit.ts';
import { serveSocks5 } from '../adapters/socks5.ts';
import { serveTransparent } from '../adapters/transparent.ts';
import { hasOverride } from '../destination/overrides.ts';
import type { Planner } from '../destination/plan.ts';
import { DnsFront, type DnsListeners, DnsService, SyntheticNames } from '../dns/index.ts';
import { Egress } from '../egress.ts';
import { type EvidenceSource, flowOf } from '../evidence.ts';
import { renderAnswer } from '../http/answer.ts';
import { isInference, mustOpen } from '../inspect/destinations.ts';
import type { Inspector, Inspectors } from '../inspect/inspector.ts';
import { endGently, ignoreError } from '../relay/linger.ts';
import { reset } from '../relay/reset.ts';
import { ofAccepted } from '../tracing/attributes.ts';
import type { TracingOptions } from '../tracing/options.ts';
import type { PooledConnection } from '../upstream/destination.ts';
import type { UpstreamProxy } from '../upstream/upstream-proxy.ts';
import type { Adoption } from './adoption.ts';
import { ByteBudget } from './byte-budget.ts';
import { Connection, checkTarget, type Grant } from './connection.ts';
import type { TenantContext } from './context.ts';
import { Counters } from './counters.ts';
import { EventGate } from './event-gate.ts';
import { Reporter } from './reporter.ts';
import type { TenantSettings } from './settings.ts';

/** Already listening, made where the sandbox's programs can reach them. The tenant owns them: its `close` closes them. */
export interface TenantListeners {
  /** For programs that know of the proxy. */
  readonly connect?: readonly Server[];
  /** For captured connections: the local end of an accepted socket is its original destination. */
  readonly capture?: readonly Server[];
  readonly dns?: DnsListeners;
}

export interface TenantOptions {
  readonly id: SandboxId;
  readonly listeners: TenantListeners;
  readonly evidence: EvidenceSource;
  /** What is in force at first. */
  readonly settings: TenantSettings;
  /** Must not throw and must not wait, as sinks do not. */
  readonly events: (event: SecurityEvent) => void;
  /** For the person: every refusal, not counted together. */
  readonly refusals?: (refusal: Refusal) => void;
  /** Instead of what docs/limits.md says. */
  readonly limits?: TenantLimits | undefined;
}

export interface TenantStatus {
  readonly id: SandboxId;
  readonly generation: Generation;
  /** Open at this moment, in any state. */
  readonly connections: number;
  /** Of those, the ones that have not reached a destination. */
  readonly handshakes: number;
  /** Names with a synthetic address. */
  readonly names: number;
  /** Bytes of bodies and messages in memory. */
  readonly heldBytes: number;
  readonly counters: TenantCounters;
}

/** What all tenants of a proxy share. */
export interface SharedParts {
  readonly planner: Planner;
  /** The operator's, that connections go through. */
  readonly proxy: UpstreamProxy | undefined;
  readonly inspectors: () => Promise<Inspectors>;
  /** Of the operator's who wants to see traces or to pass them on. */
  readonly tracing?: TracingOptions | undefined;
}

/** One sandbox as the proxy sees it: its listeners, its policy, its live connections. */
export class Tenant {
  readonly #options: TenantOptions;
  readonly #onClosed: () => void;
  readonly #tracing: TracingOptions | undefined;
  readonly #context: TenantContext;
  readonly #names: SyntheticNames;
  readonly #dns: DnsService | undefined;
  readonly #connections = new Set<Connection>();
  readonly #maxConnections: number;
  readonly #counters = new Counters();
  readonly #events: EventGate;
  readonly #held: ByteBudget;
  /** Turned away, and still to read why. */
  readonly #lingering = new Set<Socket>();
  readonly #detach: (() => void)[] = [];
  #settings: TenantSettings;
  #inspector: Promise<Inspector> | undefined;
  /** Once it is there. */
  #inspecting: Inspector | undefined;
  #handshakes = 0;
  #draining = false;
  #closing: Promise<void> | undefined;
  /** Somebody waits for the last connection to end. */
  #idle: PromiseWithResolvers<void> | undefined;

  /** Made by `EgressProxy.addTenant`. Serves from this moment on. */
  constructor(options: TenantOptions, shared: SharedParts, onClosed: () => void) {
    const { id: sandbox, evidence, events, refusals = () => {}, listeners } = options;
    const { planner, proxy, inspectors } = shared;
    const { limits } = planner;
    const own = options.limits ?? {};
    this.#options = options;
    this.#onClosed = onClosed;
    this.#tracing = shared.tracing;
    this.#settings = options.settings;
    this.#names = new SyntheticNames(limits.dnsNames);
    this.#maxConnections = own.connections ?? limits.connections;
    this.#held = new ByteBudget(own.heldBytes ?? limits.heldBytes);
    const counters = this.#counters;
    const perSecond = own.eventsPerSecond ?? limits.eventsPerSecond;
    this.#events = new EventGate({ sandbox, perSecond, counters, events });
    const { pass, offer } = this.#events;
    const engine = (): PolicyEngine => this.#settings.engine;
    this.#context = {
      limits,
      names: this.#names,
      engine,
      settings: () => this.#settings,
      planner,
      inspector: () => this.#loadInspector(inspectors),
      held: this.#held,
      reporter: new Reporter({
        ...{ sandbox, limits, counters, offer, refusals },
        generation: () => engine().generation,
        events: pass,
      }),
      egress: new Egress({ sandbox, evidence, engine, planner, proxy }),
      opened: (connection) => this.#opened(connection),
    };
    if (listeners.dns !== undefined) this.#dns = this.#serveDns(listeners.dns, planner);
    for (const server of listeners.connect ?? []) this.#serve(server, () => EXPLICIT);
    for (const server of listeners.capture ?? []) this.#serve(server, captured);
  }

  /** Gets ready to look into connections, so that the first one need not wait for it. */
  async prepareInspection(): Promise<void> {
    await this.#context.inspector();
  }

  get id(): SandboxId {
    return this.#options.id;
  }

  /**
   * Puts a new generation in force: policy, credentials and middleware at once. Connections, requests and messages that it
   * would not allow as they are, are ended; all others go on undisturbed, under the new decision.
   */
  apply(settings: TenantSettings): void {
    const { engine } = settings;
    this.#settings = settings;
    for (const connection of this.#connections) {
      if (connection.revoked !== undefined) continue;
      if (connection.grant === undefined) {
        connection.reconsider();
        continue;
      }
      const decision = engine.authorizeConnect(connection.grant.intent);
      if (!(decision instanceof Promise)) this.#reconsider(connection, decision);
      // Until rules that are elsewhere have answered, what was allowed goes on.
      else
        void decision.then(
          (later) => this.#settings.engine === engine && this.#reconsider(connection, later),
        );
    }
    this.#inspecting?.retire(this.#isRetired);
  }

  status(): TenantStatus {
    return {
      id: this.id,
      generation: this.#settings.engine.generation,
      connections: this.#connections.size + this.#lingering.size,
      handshakes: this.#handshakes,
      names: this.#names.size,
      heldBytes: this.#held.taken,
      counters: { ...this.#counters },
    };
  }

  /**
   * Lets connections end: those that wait for a further request at once, those that answer one after it. Tunnels, WebSockets and databases go on, and
   * who has connected already is served. Its listeners are closed by whoever opened them.
   */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#connections) connection.drain();
  }

  /** Resolves when no connection is open. */
  async idle(): Promise<void> {
    if (this.#connections.size === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Stops listening, ends every connection, and reports what was still counted. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const detach of this.#detach) detach();
    const { connect = [], capture = [] } = this.#options.listeners;
    const servers = [...connect, ...capture].map(
      (server) => new Promise<void>((done) => server.close(() => done())),
    );
    const connections = [...this.#connections].map((connection) => connection.ended());
    for (const connection of this.#connections) connection.destroy('the sandbox is closing');
    for (const socket of this.#lingering) socket.destroy();
    await Promise.all([...servers, ...connections, this.#dns?.close()]);
    this.#inspecting?.close();
    this.#events.close();
    this.#context.reporter.close();
    this.#onClosed();
  }

  #serve(server: Server, adoptionOf: (socket: Socket) => Adoption | undefined): void {
    const onConnection = (socket: Socket): void => {
      const adoption = adoptionOf(socket);
      if (adoption !== undefined) this.adopt(socket, adoption);
      else socket.on('error', ignoreError).destroy();
    };
    // Running out of descriptors must not end the process; Node goes on accepting by itself.
    server.on('error', ignoreError);
    server.on('connection', onConnection);
    // After the tenant's end a connection may still come in; nobody may be left waiting for it.
    this.#detach.push(() => {
      server.off('connection', onConnection);
      server.on('connection', (socket: Socket) => socket.on('error', ignoreError).destroy());
    });
  }

  /** Whether programs of the sandbox may know this canonical name, asked from where it is looked up. What they may not is reported. */
  lookUp(name: string, type: string): boolean {
    const known = this.#couldAllow(name);
    if (!known) this.#context.reporter.refusedName({ name, type, rcode: 'NXDomain' });
    return known;
  }

  #couldAllow(name: string): boolean {
    const { engine, inference } = this.#settings;
    if (isInference(name)) return inference !== undefined;
    return engine.couldAllowName(name) || hasOverride(this.#context.planner.overrides, name);
  }

  #serveDns(listeners: DnsListeners, { limits }: Planner): DnsService {
    const front = new DnsFront({
      names: this.#names,
      maxBytes: limits.dnsMessageBytes,
      couldAllow: (name) => this.#couldAllow(name),
      onRefused: (refused) => this.#context.reporter.refusedName(refused),
    });
    return new DnsService(front, listeners, limits);
  }

  #loadInspector(inspectors: () => Promise<Inspectors>): Promise<Inspector> {
    this.#inspector ??= inspectors().then((all) => {
      const inspector = all.forTenant(this.#context);
      inspector.retire(this.#isRetired);
      if (this.#closing !== undefined) inspector.close();
      this.#inspecting = inspector;
      return inspector;
    });
    // The next connection tries again.
    this.#inspector.catch(() => {
      this.#inspector = undefined;
    });
    return this.#inspector;
  }

  /** Serves a connection that somebody else has accepted, within the tenant's bounds. Its socket is the tenant's from now on. */
  adopt(socket: Socket, adoption: Adoption): void {
    const { limits } = this.#context;
    if (this.#closing !== undefined || socket.destroyed) {
      socket.on('error', ignoreError).destroy();
      return;
    }
    this.#counters.accepted += 1;
    const full = this.#connections.size + this.#lingering.size >= this.#maxConnections;
    if (full || this.#handshakes >= limits.handshakes) {
      this.#counters.shed += 1;
      this.#turnAway(socket, adoption);
      return;
    }
    const connection = new Connection(socket, adoption);
    if (this.#draining) connection.drain();
    if (this.#tracing !== undefined)
      connection.trace.begin(this.#tracing, ofAccepted(this.id, adoption.kind));
    this.#connections.add(connection);
    this.#handshakes += 1;
    socket.once('close', () => {
      this.#opened(connection);
      void connection.ended().then(() => this.#forget(connection));
    });
    serve(connection, this.#context, adoption).catch((thrown: unknown) => {
      this.#context.reporter.fault(connection, messageOf(thrown));
      connection.destroy('fault');
    });
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    connection.trace.end();
    if (this.#connections.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Puts a connection under another policy's decision, or ends it. */
  #reconsider(connection: Connection, decision: ConnectDecision): void {
    const { grant, revoked } = connection;
    if (grant === undefined || revoked !== undefined) return;
    const verdict = renewed(grant, decision);
    if (typeof verdict === 'string') {
      connection.revoke(`generation ${decision.generation}: ${verdict}`);
      return;
    }
    connection.grant = verdict;
    if (connection.isRaw && mustOpen(verdict, this.#settings))
      connection.revoke(`generation ${decision.generation}: its requests are to be inspected now`);
    else connection.reconsider();
  }

  /** An idle connection at an address that the rule it was opened under no longer covers is of no use to anybody. */
  readonly #isRetired = ({ host, port, target, overridden }: PooledConnection): boolean => {
    if (overridden) return false;
    const { engine } = this.#settings;
    return !engine.couldAllowName(host) && !engine.couldAllowAddress(target.address, port);
  };

  #opened(connection: Connection): void {
    if (!connection.handshaking) return;
    connection.handshaking = false;
    this.#handshakes -= 1;
  }

  #turnAway(socket: Socket, { kind }: Adoption): void {
    const { limits } = this.#context;
    socket.on('error', ignoreError);
    if (kind === 'transparent') {
      reset(socket);
      return;
    }
    const detail = 'this sandbox has as many connections as it may have; close some, or try again later';
    const bytes = renderAnswer({ status: 503, body: { error: 'too_many_connections', detail } });
    if (this.#lingering.size >= limits.lingering) {
      socket.end(bytes, () => socket.destroy());
      return;
    }
    this.#lingering.add(socket);
    void endGently(socket, bytes, limits).then(() => this.#lingering.delete(socket));
  }
}

const EXPLICIT: Adoption = { kind: 'explicit' };

/** A captured connection; undefined when its client is already gone. */
function captured(socket: Socket): Adoption | undefined {
  const flow = flowOf(socket);
  return flow && { kind: 'transparent', flow };
}

function serve(connection: Connection, context: TenantContext, adoption: Adoption): Promise<void> {
  switch (adoption.kind) {
    case 'explicit':
      return serveExplicit(connection, context, adoption);
    case 'socks5':
      return serveSocks5(connection, context, { initial: adoption.initial, agreed: true });
    case 'transparent':
      return serveTransparent(connection, context, adoption);
    default:
      return adoption satisfies never;
  }
}

/** The grant under another decision, or why there is none. */
function renewed(grant: Grant, decision: ConnectDecision): Grant | string {
  if (decision.action !== 'allow') return decision.reason;
  const latest: Grant = { ...grant, decision };
  const check = checkTarget(latest);
  return check.ok ? latest : check.reason;
}
