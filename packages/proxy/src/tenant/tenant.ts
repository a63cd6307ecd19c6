import type { Server, Socket } from 'node:net';
import type { Refusal, SecurityEvent } from '@openshell/audit';
import { type Generation, messageOf, type SandboxId } from '@openshell/base';
import type { ConnectDecision, PolicyEngine } from '@openshell/policy';
import { serveExplicit } from '../adapters/explicit.ts';
import { serveTransparent } from '../adapters/transparent.ts';
import { hasOverride } from '../destination/overrides.ts';
import type { Planner } from '../destination/plan.ts';
import { DnsFront } from '../dns/front.ts';
import { type DnsListeners, DnsService } from '../dns/listeners.ts';
import { SyntheticNames } from '../dns/synthetic-names.ts';
import { Egress } from '../egress.ts';
import type { EvidenceSource } from '../evidence.ts';
import { renderAnswer } from '../http/answer.ts';
import { isInference, mustOpen } from '../inspect/destinations.ts';
import type { Inspector, Inspectors } from '../inspect/inspector.ts';
import { endGently, ignoreError } from '../relay/linger.ts';
import { reset } from '../relay/reset.ts';
import type { PooledConnection } from '../upstream/destination.ts';
import type { UpstreamProxy } from '../upstream/upstream-proxy.ts';
import { Connection, checkTarget, type Grant } from './connection.ts';
import type { TenantContext } from './context.ts';
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
}

export interface TenantStatus {
  readonly id: SandboxId;
  readonly generation: Generation;
  /** Open at this moment, in any state. */
  readonly connections: number;
  /** Of those, the ones that have not reached a destination. */
  readonly handshakes: number;
  /** Since the start. */
  readonly accepted: number;
  /** Of those, turned away because there were too many. */
  readonly shed: number;
  /** Names with a synthetic address. */
  readonly names: number;
}

type Kind = 'explicit' | 'transparent';

/** What all tenants of a proxy share. */
export interface SharedParts {
  readonly planner: Planner;
  /** The operator's, that connections go through. */
  readonly proxy: UpstreamProxy | undefined;
  readonly inspectors: () => Promise<Inspectors>;
}

/** One sandbox as the proxy sees it: its listeners, its policy, its live connections. */
export class Tenant {
  readonly #options: TenantOptions;
  readonly #onClosed: () => void;
  readonly #context: TenantContext;
  readonly #names: SyntheticNames;
  readonly #dns: DnsService | undefined;
  readonly #connections = new Set<Connection>();
  /** Turned away, and still to read why. */
  readonly #lingering = new Set<Socket>();
  readonly #detach: (() => void)[] = [];
  #settings: TenantSettings;
  #inspector: Promise<Inspector> | undefined;
  /** Once it is there. */
  #inspecting: Inspector | undefined;
  #handshakes = 0;
  #accepted = 0;
  #shed = 0;
  #closing: Promise<void> | undefined;

  /** Made by `EgressProxy.addTenant`. Serves from this moment on. */
  constructor(options: TenantOptions, shared: SharedParts, onClosed: () => void) {
    const { id: sandbox, evidence, events, refusals = () => {}, listeners } = options;
    const { planner, proxy, inspectors } = shared;
    const { limits } = planner;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#settings = options.settings;
    this.#names = new SyntheticNames(limits.dnsNames);
    const engine = (): PolicyEngine => this.#settings.engine;
    this.#context = {
      limits,
      names: this.#names,
      engine,
      settings: () => this.#settings,
      planner,
      inspector: () => this.#loadInspector(inspectors),
      reporter: new Reporter({ sandbox, limits, events, refusals }),
      egress: new Egress({ sandbox, evidence, engine, planner, proxy }),
      opened: (connection) => this.#opened(connection),
    };
    if (listeners.dns !== undefined) this.#dns = this.#serveDns(listeners.dns, planner);
    for (const server of listeners.connect ?? []) this.#serve(server, 'explicit');
    for (const server of listeners.capture ?? []) this.#serve(server, 'transparent');
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
      accepted: this.#accepted,
      shed: this.#shed,
      names: this.#names.size,
    };
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
    this.#context.reporter.close();
    this.#onClosed();
  }

  #serve(server: Server, kind: Kind): void {
    const onConnection = (socket: Socket): void => this.#accept(socket, kind);
    // Running out of descriptors must not end the process; Node goes on accepting by itself.
    server.on('error', ignoreError);
    server.on('connection', onConnection);
    // After the tenant's end a connection may still come in; nobody may be left waiting for it.
    this.#detach.push(() => {
      server.off('connection', onConnection);
      server.on('connection', (socket: Socket) => socket.on('error', ignoreError).destroy());
    });
  }

  #serveDns(listeners: DnsListeners, { overrides, limits }: Planner): DnsService {
    const front = new DnsFront({
      names: this.#names,
      maxBytes: limits.dnsMessageBytes,
      couldAllow: (name) =>
        isInference(name)
          ? this.#settings.inference !== undefined
          : this.#settings.engine.couldAllowName(name) || hasOverride(overrides, name),
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
    return this.#inspector;
  }

  #accept(socket: Socket, kind: Kind): void {
    const { limits } = this.#context;
    this.#accepted += 1;
    const full = this.#connections.size + this.#lingering.size >= limits.connections;
    if (full || this.#handshakes >= limits.handshakes) {
      this.#shed += 1;
      this.#turnAway(socket, kind);
      return;
    }
    const connection = new Connection(kind, socket);
    this.#connections.add(connection);
    this.#handshakes += 1;
    socket.once('close', () => {
      this.#opened(connection);
      void connection.ended().then(() => this.#connections.delete(connection));
    });
    const served = kind === 'explicit' ? serveExplicit : serveTransparent;
    served(connection, this.#context).catch((thrown: unknown) => {
      this.#context.reporter.fault(connection, messageOf(thrown));
      connection.destroy('fault');
    });
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

  #turnAway(socket: Socket, kind: Kind): void {
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

/** The grant under another decision, or why there is none. */
function renewed(grant: Grant, decision: ConnectDecision): Grant | string {
  if (decision.action !== 'allow') return decision.reason;
  const latest: Grant = { ...grant, decision };
  const check = checkTarget(latest);
  return check.ok ? latest : check.reason;
}
