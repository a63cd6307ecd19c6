import type { Refusal, SecurityEvent } from '@openshell/audit';
import { messageOf, OpenShellError, type SandboxId, sandboxId } from '@openshell/base';
import {
  type Applied,
  type ApplyOrder,
  CONTROL_CODES,
  type ControllerHello,
  type ControlOperations,
  ControlRefusal,
  type ProxyControl,
  type ProxyStatus,
  SessionDesk,
  type TenantReport,
  type TenantSpec,
} from '@openshell/control';
import type { SourceKinds } from '../credentials/source-kinds.ts';
import { DENIALS_UID } from '../denials/denial-event.ts';
import { type Limits, limitsWith } from '../limits.ts';
import type { GenerationsOptions } from '../operator/generations.ts';
import type { EgressProxy } from '../proxy.ts';
import type { AuthorityRing } from '../tls/authority-ring.ts';
import { EventLog } from './events/event-log.ts';
import { EventReaders } from './events/event-readers.ts';
import { explainAttempt } from './explain.ts';
import { ProcessReport } from './process-report.ts';
import * as record from './session-record.ts';
import { type Listen, listenOn } from './tenants/listen.ts';
import { Registrar, type SharedRecognition, type TenantLink } from './tenants/registrar.ts';
import type { GenerationMark, ProcessRole } from './tenants/served-tenant.ts';
import { TenantBook } from './tenants/tenant-book.ts';

export interface ProxyHostOptions {
  /** Its tenants are the host's from now on; the proxy itself stays its owner's to close. */
  readonly proxy: EgressProxy;
  /** Of the program. */
  readonly version: string;
  /** What it can do beyond the protocol's version (`FEATURES`). */
  readonly features?: readonly string[];
  /** Where values come from for whoever may use this machine, whom to believe, and what policies may name. */
  readonly generations: Omit<GenerationsOptions, 'limits'>;
  readonly limits?: Partial<Limits>;
  /** Denying everything was asked for: being ready needs no generation. */
  readonly denyAll?: boolean;
  /** What recognises tenants at listeners that they share. Absent: there are none. */
  readonly shared?: SharedRecognition;
  /** Told of tenants whose sandboxes are on other nodes. Absent: there is no link. */
  readonly link?: TenantLink;
  /** Opens the tenants' own listeners. */
  readonly listen?: Listen;
  /**
   * Closes what connections come in by besides the tenants' own listeners; called once, when draining begins. Resolves when those who had
   * connected before have been recognised.
   */
  readonly stopAccepting?: () => void | Promise<void>;
  /** Takes every event for a record that outlives the proxy. `false`: it had no room. */
  readonly events?: (event: SecurityEvent) => unknown;
  /** For the person. */
  readonly refusals?: (refusal: Refusal, tenant: SandboxId) => void;
  /**
   * `worker`: one of several processes that serve the same tenants. Who steers them records what controllers do, and credentials that
   * only one process may hold are refused.
   */
  readonly role?: ProcessRole;
  /** What events about the proxy as a whole call it. */
  readonly id?: SandboxId;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What a session does, with which one process tells another what it has decided already. */
export interface WorkerOperations extends ControlOperations {
  /** `as`: the number and the time that the generation has elsewhere. */
  apply(order: ApplyOrder, as?: GenerationMark): Promise<Applied>;
}

/** Who gets a control. */
export interface ControlView {
  /** `host`: the operator of this machine, whose credentials may name its files, commands and variables. `pushed`: everybody else. */
  readonly sources: SourceKinds;
  /** For events: `files`, or the address of a control endpoint. */
  readonly name: string;
}

/** Steers a proxy as its controllers say. Without any it denies everything, and when the last one is lost it goes on as it was told. */
export class ProxyHost implements AsyncDisposable {
  readonly #options: ProxyHostOptions;
  readonly #id: SandboxId;
  readonly #limits: Limits;
  readonly #desk: SessionDesk;
  readonly #log: EventLog;
  readonly #readers: EventReaders;
  readonly #book: TenantBook;
  readonly #registrar: Registrar;
  readonly #process = new ProcessReport();
  readonly #startedAt: number;
  /** Once one was needed. */
  #ring: AuthorityRing | undefined;
  /** When everybody is who had connected before draining began. */
  #recognised: Promise<void> = Promise.resolve();
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ProxyHostOptions) {
    const { version, features = [], id = sandboxId('openshell-proxy'), now = Date.now } = options;
    this.#options = options;
    this.#id = id;
    this.#limits = limitsWith(options.limits);
    this.#startedAt = now();
    this.#desk = new SessionDesk({
      version,
      features,
      installed: () => [...this.#book].flatMap(({ installed }) => installed?.report ?? []),
    });
    this.#log = new EventLog({
      instance: this.#desk.instance,
      maxEvents: this.#limits.controlEvents,
      maxBytes: this.#limits.controlEventBytes,
    });
    this.#readers = new EventReaders(this.#log, this.#limits.controlFollowers);
    this.#book = new TenantBook(this.#limits.controlTenants);
    this.#registrar = new Registrar({
      ...options,
      limits: this.#limits,
      listen: options.listen ?? listenOn,
      book: this.#book,
      events: (tenant, event) => this.#record(tenant, event),
      now,
    });
    void options.proxy.authorityNeeded.then((ring) => this.#watchAuthority(ring));
  }

  /** The contract, for one kind of controller. */
  control(view: ControlView): ProxyControl {
    return {
      connect: async (hello, options) => {
        const session = await this.#desk.open(hello, this.operations(view, hello), options);
        record.recordControl(this.#id, session, { hello, via: view.name }, (event) => this.record(event));
        return session;
      },
    };
  }

  /** What a session of this view does. Nothing is asked about who may and what makes sense: a session, or the caller, has done that. */
  operations({ sources, name }: ControlView, hello: ControllerHello): WorkerOperations {
    const way = { sources, controller: { hello, via: name } };
    return {
      registerTenant: (spec) => refusing(() => this.#register(spec)),
      removeTenant: (id) => refusing(() => this.#remove(id)),
      apply: (order, as) => refusing(() => this.#apply(order, { ...way, as })),
      rotateAuthority: (step) => refusing(async () => (await this.#options.proxy.authority()).rotate(step)),
      drain: (timeoutMs) => refusing(() => this.drain(timeoutMs)),
      status: async () => this.status(),
      authority: () => refusing(async () => (await this.#options.proxy.authority()).status()),
      events: (query) => this.#readers.read(query),
      explain: async (query) => explainAttempt(query, this.#book.get(query.tenant).installed),
    };
  }

  /** Random, new with each start. */
  get instance(): string {
    return this.#desk.instance;
  }

  /** What the status says, without a session: for an endpoint that shows it. */
  status(): ProxyStatus {
    const tenants = [...this.#book].map((served) => served.report());
    const connections = tenants.reduce((sum, tenant) => sum + tenant.connections, 0);
    const signing = this.#ring?.status().certificates.find(({ role }) => role === 'signing');
    return {
      instance: this.instance,
      version: this.#options.version,
      state: this.#state(tenants),
      denyAll: this.#options.denyAll ?? false,
      startedAt: this.#startedAt,
      controller: this.#desk.controller,
      tenants,
      workers: [this.#process.worker(connections)],
      authorityNotAfter: signing?.notAfter,
      lastEvent: this.#log.lastSequence,
    };
  }

  /** Puts an event of the program beside those of its tenants: with the tenant that it is about, or with the proxy as a whole. */
  record(event: SecurityEvent): void {
    const about = sandboxId(event.metadata.tenant_uid ?? this.#id);
    this.#record(this.#book.find(about) === undefined ? this.#id : about, event);
  }

  /**
   * Takes no new connections and lets those that wait for requests end; resolves when the last one has ended, or was ended after this many
   * milliseconds.
   */
  drain(timeoutMs: number): Promise<void> {
    if (this.#draining === undefined) {
      this.#recognised = Promise.resolve(this.#options.stopAccepting?.());
      for (const served of this.#book) {
        served.stopListening();
        served.tenant.drain();
      }
    }
    this.#draining = this.#endConnections(timeoutMs);
    return this.#draining;
  }

  /** Ends the sessions and every connection. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#desk.stop();
    await Promise.all([...this.#book].map(({ id }) => this.#remove(id)));
    this.#process[Symbol.dispose]();
  }

  async #register(spec: TenantSpec): Promise<TenantReport> {
    this.#requireServing();
    const served = await this.#registrar.register(spec);
    // The proxy may have begun to stop while the tenant's listeners were being opened.
    if (this.#isStopping) {
      await this.#registrar.remove(spec.id);
      throw draining();
    }
    this.#recordControl(spec.id, record.tenantStarted(spec));
    return served.report();
  }

  async #remove(id: SandboxId): Promise<void> {
    await this.#registrar.remove(id);
    this.#recordControl(id, record.tenantStopped(id));
    this.#log.forget(id);
  }

  async #apply(order: ApplyOrder, { sources, controller, as }: Way): Promise<Applied> {
    this.#requireServing();
    const served = this.#book.get(order.tenant);
    const { role = 'whole', generations } = this.#options;
    const environment = sources === 'host' ? generations.environment : {};
    try {
      const applied = await served.apply(order, { sources, environment, role, as });
      if (order.mode === 'install' && !applied.unchanged)
        this.#recordControl(order.tenant, record.generationLoaded(served.policyName, applied, controller));
      return applied;
    } catch (thrown) {
      if (
        order.mode === 'install' &&
        thrown instanceof ControlRefusal &&
        thrown.code === 'generation_refused'
      )
        this.#recordControl(
          order.tenant,
          record.generationKept(order.tenant, thrown, served.installed?.report, controller),
        );
      throw thrown;
    }
  }

  /** What is done to the proxy rather than by its tenants. */
  #recordControl(tenant: SandboxId, event: SecurityEvent): void {
    if (this.#options.role !== 'worker') this.#record(tenant, event);
  }

  /** What the lasting record had no room for and will be offered again is not shown twice. */
  #record(tenant: SandboxId, event: SecurityEvent): boolean {
    const taken = this.#options.events?.(event) !== false;
    if (taken || !isOfferedAgain(event)) this.#log.append(tenant, event);
    return taken;
  }

  /** Records what happens to the authority, and passes on what clients have to trust. */
  #watchAuthority(ring: AuthorityRing): void {
    this.#ring = ring;
    ring.onNotice((notice) => this.#recordControl(this.#id, record.authorityChanged(this.#id, notice)));
    ring.onChange(() => this.#options.link?.authorityChanged());
  }

  async #endConnections(timeoutMs: number): Promise<void> {
    const idle = this.#recognised.then(() => Promise.all([...this.#book].map(({ tenant }) => tenant.idle())));
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([idle, late]);
    clearTimeout(timer);
    await Promise.all([...this.#book].map(({ tenant }) => tenant.close()));
  }

  #state(tenants: readonly TenantReport[]): ProxyStatus['state'] {
    if (this.#isStopping) return 'draining';
    const isReady = tenants.length > 0 && tenants.every(({ installed }) => installed !== undefined);
    return isReady ? 'ready' : 'denying';
  }

  get #isStopping(): boolean {
    return this.#draining !== undefined || this.#closing !== undefined;
  }

  #requireServing(): void {
    if (this.#isStopping) throw draining();
  }
}

/** Who applies, and as what. */
interface Way {
  readonly sources: SourceKinds;
  readonly controller: record.Controller;
  readonly as: GenerationMark | undefined;
}

const draining = (): ControlRefusal =>
  new ControlRefusal('the proxy is draining: it takes nothing new', {
    code: 'proxy_draining',
    remedy: 'Use the proxy that takes its place.',
  });

/** Counts of denials are offered again, with what has come in between, until they are taken. */
const isOfferedAgain = (event: SecurityEvent): boolean =>
  'finding_info' in event && event.finding_info.uid === DENIALS_UID;

/** A controller is told of whatever goes wrong in the words of the contract. */
async function refusing<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof ControlRefusal) throw thrown;
    const { code, remedy } =
      thrown instanceof OpenShellError ? thrown : { code: undefined, remedy: undefined };
    throw new ControlRefusal(messageOf(thrown), {
      code: CONTROL_CODES.find((known) => known === code) ?? 'internal',
      cause: thrown,
      ...(remedy !== undefined && { remedy }),
    });
  }
}
