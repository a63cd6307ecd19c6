import { configEvent, type SecurityEvent } from '@openshell/audit';
import { messageOf, type SandboxId, sandboxId } from '@openshell/base';
import {
  type Applied,
  type ApplyOrder,
  type AuthorityStatus,
  type ControlEvent,
  type ControllerHello,
  type ControlOperations,
  ControlRefusal,
  type EventQuery,
  type ProxyControl,
  type ProxyStatus,
  type Recognition,
  type RotationStep,
  SessionDesk,
  type TenantReport,
  type TenantSpec,
} from '@openshell/control';
import { EventLog } from '../control/events/event-log.ts';
import { EventReaders } from '../control/events/event-readers.ts';
import type { ControlView } from '../control/proxy-host.ts';
import * as record from '../control/session-record.ts';
import { Turns } from '../control/tenants/turns.ts';
import { type Limits, limitsWith } from '../limits.ts';
import type { LinkCertificates } from '../link/index.ts';
import { once } from '../once.ts';
import type { ActivatedSockets } from '../program/listen/activation.ts';
import type { Log } from '../program/log/log.ts';
import type { Address, ListenWord } from '../program/options/address.ts';
import type { ServedProxy } from '../program/served-proxy.ts';
import type { AuthorityRing } from '../tls/authority-ring.ts';
import { PeerLost } from './peer.ts';
import { Place } from './place.ts';
import type { NodeRefusal } from './protocol.ts';
import { descriptorsOf, reserve } from './reserve.ts';
import { sharedLimits, workerReport } from './sums.ts';
import { LedgerTenant, TenantLedger } from './tenant-ledger.ts';
import { type StartedWorker, WorkerHandle } from './worker-handle.ts';

/** Starts a worker that waits to be told. */
export type StartWorker = () => StartedWorker;

export interface WorkerSetOptions {
  readonly count: number;
  readonly start: StartWorker;
  /** The command line of the proxy. */
  readonly args?: readonly string[];
  readonly version: string;
  readonly features: readonly string[];
  readonly denyAll: boolean;
  readonly link?: Address | undefined;
  /** Or where to get it when it is first needed. */
  readonly authority: AuthorityRing | (() => AuthorityRing);
  /** Takes every event for a record that outlives the proxy. */
  readonly events: (event: SecurityEvent) => unknown;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
}

/** What is done with workers one after the other comes from one controller, or from a worker that begins. */
const ID = sandboxId('openshell-proxy');

/**
 * One proxy of several processes. This, the first one, carries no connection: it has the sessions of controllers, the one stream of events, the
 * authority, and all that was applied, so that a worker that takes another's place is told everything before it serves.
 */
export class WorkerSet implements ServedProxy {
  readonly #options: WorkerSetOptions;
  readonly #limits: Limits;
  readonly #desk: SessionDesk;
  readonly #log: EventLog;
  readonly #readers: EventReaders;
  readonly #tenants = new TenantLedger();
  readonly #turns: Turns;
  readonly #places: readonly Place[];
  /** Begun, with or without everything that is in force. */
  readonly #all = new Set<WorkerHandle>();
  /** With everything that is in force. */
  readonly #current = new Set<WorkerHandle>();
  readonly #startedAt = Date.now();
  readonly #ring: () => AuthorityRing;
  #madeRing: AuthorityRing | undefined;
  #spreading: Promise<unknown> = Promise.resolve();
  #link: Address | undefined;
  /** Newer ones than a worker that begins may have read. */
  #certificates: LinkCertificates | undefined;
  /** Once it serves. */
  #words: readonly ListenWord[] | undefined;
  #draining: Promise<void> | undefined;

  /** Throws why a worker could not begin; then none is left. */
  static async start(options: WorkerSetOptions): Promise<WorkerSet> {
    const set = new WorkerSet(options);
    try {
      if (options.link !== undefined) set.#link = await reserve(options.link);
      await Promise.all(set.#places.map((place) => place.open()));
    } catch (thrown) {
      await set[Symbol.asyncDispose]();
      throw thrown;
    }
    return set;
  }

  private constructor(options: WorkerSetOptions) {
    const { version, features, count } = options;
    this.#options = options;
    this.#limits = limitsWith(options.limits);
    this.#desk = new SessionDesk({
      version,
      features,
      installed: () => [...this.#tenants].flatMap(({ applied }) => applied?.installed ?? []),
    });
    this.#log = new EventLog({
      instance: this.#desk.instance,
      maxEvents: this.#limits.controlEvents,
      maxBytes: this.#limits.controlEventBytes,
    });
    this.#readers = new EventReaders(this.#log, this.#limits.controlFollowers);
    this.#turns = new Turns(this.#limits.workerChanges);
    this.#places = Array.from({ length: count }, (_, index) => this.#makePlace(index));
    const { authority } = options;
    this.#ring = once(() => this.#watchAuthority(typeof authority === 'function' ? authority() : authority));
    if (typeof authority === 'object') this.#ring();
    process.once('exit', this.#killAll);
  }

  get linkPort(): number | undefined {
    return this.#link?.port;
  }

  control(view: ControlView): ProxyControl {
    return {
      connect: async (hello, options) => {
        const session = await this.#desk.open(hello, this.#operations(view, hello), options);
        record.recordControl(ID, session, { hello, via: view.name }, (event) => this.record(event));
        return session;
      },
    };
  }

  record(event: SecurityEvent): void {
    const about = sandboxId(event.metadata.tenant_uid ?? ID);
    this.#record(this.#tenants.has(about) ? about : ID, event);
  }

  /** Addresses are taken for this user's processes only from here on: each worker listens there, and the kernel spreads connections. */
  async listen(words: readonly ListenWord[], activated: ActivatedSockets): Promise<readonly string[]> {
    const { own, addresses } = await descriptorsOf(words, activated);
    await this.#turns.take(async () => {
      this.#words = own;
      const results = await Promise.allSettled([...this.#current].map((one) => one.call('serve', own)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    });
    return addresses;
  }

  renewLink(certificates: LinkCertificates): Promise<void> {
    return this.#turns.take(async () => {
      // The first to say that they are of no use says it for all.
      for (const worker of this.#current)
        await worker.call('renewLink', certificates).catch((thrown: unknown) => {
          if (!(thrown instanceof PeerLost)) throw thrown;
        });
      this.#certificates = certificates;
    });
  }

  drain(timeoutMs: number): Promise<void> {
    this.#draining ??= this.#drain(timeoutMs);
    return this.#draining;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#desk.stop();
    this.#draining ??= Promise.resolve();
    for (const place of this.#places) place.stop();
    await Promise.all([...this.#all].map((worker) => this.#end(worker)));
    process.off('exit', this.#killAll);
  }

  async #drain(timeoutMs: number): Promise<void> {
    for (const place of this.#places) place.stop();
    // One that is being told of tenants yet has no connections.
    await Promise.allSettled([...this.#all].map((worker) => worker.call('drain', timeoutMs)));
  }

  async #end(worker: WorkerHandle): Promise<void> {
    const timer = setTimeout(() => worker.kill(), this.#limits.stopTime / 2);
    worker.call('end', undefined).catch(() => undefined);
    await worker.ended;
    clearTimeout(timer);
  }

  /** Where this process ends at once, so do they. */
  readonly #killAll = (): void => {
    for (const worker of this.#all) worker.kill();
  };

  #operations({ sources, name }: ControlView, hello: ControllerHello): ControlOperations {
    const controller = { hello, via: name };
    return {
      registerTenant: (spec) => this.#change(() => this.#register(spec)),
      removeTenant: (id) => this.#turns.take(() => this.#remove(id)),
      apply: (order) =>
        order.mode === 'check'
          ? this.#anywhere((worker) => worker.call('apply', { order, sources, as: undefined }))
          : this.#change(() => this.#apply(order, { sources, controller })),
      rotateAuthority: (step) => this.#rotate(step),
      drain: (timeoutMs) => this.drain(timeoutMs),
      status: () => this.#status(),
      authority: async () => this.#ring().status(),
      events: (query) => this.#events(query),
      explain: (query) => this.#anywhere((worker) => worker.call('explain', query)),
    };
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(() => {
      if (this.#draining !== undefined)
        throw new ControlRefusal('the proxy is draining: it takes nothing new', {
          code: 'proxy_draining',
          remedy: 'Use the proxy that takes its place.',
        });
      return work();
    });
  }

  async #register(spec: TenantSpec): Promise<TenantReport> {
    const tenant = new LedgerTenant(spec, await this.#shared(spec));
    await this.#everywhere((worker) => worker.call('register', tenant.shared));
    this.#tenants.add(tenant);
    this.#record(spec.id, record.tenantStarted(spec));
    return tenant.report([]);
  }

  async #remove(id: SandboxId): Promise<void> {
    const tenant = this.#tenants.get(id);
    await this.#everywhere((worker) => worker.call('remove', id));
    // What it was denied in the end is told by the workers before they answer this.
    await this.#statuses();
    this.#tenants.delete(tenant.id);
    this.#record(id, record.tenantStopped(id));
    this.#log.forget(id);
  }

  async #apply(
    order: ApplyOrder,
    {
      sources,
      controller,
    }: { readonly sources: ControlView['sources']; readonly controller: record.Controller },
  ): Promise<Applied> {
    const tenant = this.#tenants.get(order.tenant);
    try {
      const applied = await this.#everywhere(
        (worker) => worker.call('apply', { order, sources, as: undefined }),
        (worker, { installed }) => worker.call('apply', { order, sources, as: installed }),
      );
      if (applied.unchanged) return applied;
      tenant.installed(order, sources, applied);
      this.#record(order.tenant, record.generationLoaded(tenant.policyName, applied, controller));
      return applied;
    } catch (thrown) {
      if (thrown instanceof ControlRefusal && thrown.code === 'generation_refused') {
        const installed = tenant.applied?.installed;
        this.#record(order.tenant, record.generationKept(order.tenant, thrown, installed, controller));
      }
      throw thrown;
    }
  }

  /** Lets one worker decide, and has the others do the same. One that cannot is replaced by one that is told everything anew. */
  async #everywhere<T>(
    first: (worker: WorkerHandle) => Promise<T>,
    then: (worker: WorkerHandle, decided: T) => Promise<unknown> = first,
  ): Promise<T> {
    const { decided, by } = await this.#decided(first);
    const others = [...this.#current].filter((worker) => worker !== by);
    await Promise.all(
      others.map((worker) =>
        then(worker, decided).catch((thrown: unknown) => {
          if (!(thrown instanceof PeerLost)) this.#giveUp(worker, messageOf(thrown));
        }),
      ),
    );
    return decided;
  }

  async #anywhere<T>(ask: (worker: WorkerHandle) => Promise<T>): Promise<T> {
    return (await this.#decided(ask)).decided;
  }

  /** The answer of the first worker that lives to give it. */
  async #decided<T>(
    ask: (worker: WorkerHandle) => Promise<T>,
  ): Promise<{ readonly decided: T; readonly by: WorkerHandle }> {
    for (const worker of this.#current) {
      try {
        return { decided: await ask(worker), by: worker };
      } catch (thrown) {
        if (!(thrown instanceof PeerLost)) throw thrown;
      }
    }
    throw new ControlRefusal('all workers of the proxy have ended, and are being replaced', {
      code: 'unavailable',
      remedy: 'Ask again in a moment.',
    });
  }

  #giveUp(worker: WorkerHandle, why: string): void {
    this.#current.delete(worker);
    this.#options.log('error', `a worker cannot do what the others do, and is replaced: ${why}`);
    worker.kill();
  }

  async #rotate(step: RotationStep): Promise<AuthorityStatus> {
    const status = this.#ring().rotate(step);
    await this.#spreading;
    return status;
  }

  async #status(): Promise<ProxyStatus> {
    const statuses = await this.#statuses();
    const tenants = [...this.#tenants].map((tenant) => tenant.report(statuses));
    const signing = this.#madeRing?.status().certificates.find(({ role }) => role === 'signing');
    return {
      instance: this.#desk.instance,
      version: this.#options.version,
      state: this.#state(tenants),
      denyAll: this.#options.denyAll,
      startedAt: this.#startedAt,
      controller: this.#desk.controller,
      tenants,
      workers: this.#places.map(({ index, restarts, worker }) =>
        workerReport(index, restarts, worker?.lastStatus),
      ),
      authorityNotAfter: signing?.notAfter,
      lastEvent: this.#log.lastSequence,
    };
  }

  /** Of all that serve, with every event that they count in the log. */
  async #statuses(): Promise<readonly ProxyStatus[]> {
    const statuses = await Promise.all([...this.#current].map((worker) => worker.status()));
    return statuses.filter((status) => status !== undefined);
  }

  #state(tenants: readonly TenantReport[]): ProxyStatus['state'] {
    if (this.#draining !== undefined) return 'draining';
    if (this.#places.some(({ isGivenUp }) => isGivenUp) || this.#current.size === 0) return 'denying';
    const isReady = tenants.length > 0 && tenants.every(({ installed }) => installed !== undefined);
    return isReady ? 'ready' : 'denying';
  }

  async *#events(query: EventQuery): AsyncGenerator<ControlEvent> {
    // What has happened before the question is in the answer.
    if (!query.follow) await this.#statuses();
    yield* this.#readers.read(query);
  }

  #record(tenant: SandboxId, event: SecurityEvent): void {
    this.#options.events(event);
    this.#log.append(tenant, event);
    // Of a tenant that is gone: nothing is to be left when there is no room for it.
    if (tenant !== ID && !this.#tenants.has(tenant)) this.#log.forget(tenant);
  }

  #makePlace(index: number): Place {
    const { log } = this.#options;
    const about = (state: string, severity: 'info' | 'medium' | 'high', message: string): void => {
      log(severity === 'info' ? 'info' : 'error', message);
      this.record(configEvent({ sandbox: ID, severity, state, message, unmapped: { worker: index } }));
    };
    return new Place({
      index,
      begin: () => this.#begin(),
      onLost: (worker) => {
        if (worker.lastStatus !== undefined)
          for (const tenant of this.#tenants) tenant.lose(worker.lastStatus);
        about('worker_lost', 'medium', `worker ${index} has ended, and its connections with it`);
      },
      onReplaced: () => about('worker_replaced', 'info', `worker ${index} serves again`),
      onFailed: (why, again) =>
        again === undefined
          ? about('worker_given_up', 'high', `worker ${index} is not replaced any more: ${why}`)
          : about('worker_failed', 'medium', `worker ${index} could not be replaced: ${why}`),
    });
  }

  /** Starts a worker and tells it everything, while nothing changes. */
  async #begin(): Promise<WorkerHandle> {
    const worker = new WorkerHandle(this.#options.start(), (self) => ({
      authority: () => this.#ring().export().reveal(),
      events: (json) => this.#take(self, JSON.parse(json)),
      refused: (refusal) => this.#passOn(self, refusal),
    }));
    this.#all.add(worker);
    void worker.ended.then(() => {
      this.#all.delete(worker);
      this.#current.delete(worker);
    });
    const late = setTimeout(() => worker.kill(), this.#limits.workerStartTime);
    try {
      const { args = process.argv.slice(2) } = this.#options;
      await worker.call('start', { args, link: this.#link });
      clearTimeout(late);
      await this.#turns.take(() => this.#tell(worker));
      return worker;
    } catch (thrown) {
      worker.kill();
      throw thrown;
    } finally {
      clearTimeout(late);
    }
  }

  async #tell(worker: WorkerHandle): Promise<void> {
    for (const tenant of this.#tenants) {
      await worker.call('register', tenant.shared);
      const replay = tenant.replay();
      if (replay !== undefined) await worker.call('apply', replay);
    }
    if (this.#certificates !== undefined) await worker.call('renewLink', this.#certificates);
    if (this.#words !== undefined) await worker.call('serve', this.#words);
    this.#current.add(worker);
  }

  #take(worker: WorkerHandle, events: readonly ControlEvent[]): void {
    for (const event of events)
      if (event.kind === 'event') this.#record(event.tenant, event.event);
      else this.record(eventsLost(event.lost));
    worker.took(events.at(-1)?.cursor.sequence ?? 0);
  }

  /** The node of the sandbox may be with any of the others. */
  #passOn(from: WorkerHandle, refusal: NodeRefusal): void {
    for (const worker of this.#current)
      if (worker !== from) worker.call('refused', refusal).catch(() => undefined);
  }

  #watchAuthority(ring: AuthorityRing): AuthorityRing {
    this.#madeRing = ring;
    ring.onNotice((notice) => this.record(record.authorityChanged(ID, notice)));
    ring.onChange(() => {
      const keys = ring.export().reveal();
      this.#spreading = Promise.all(
        [...this.#all].map((worker) =>
          worker.call('adopt', keys).catch((thrown: unknown) => {
            if (!(thrown instanceof PeerLost)) this.#giveUp(worker, messageOf(thrown));
          }),
        ),
      );
    });
    return ring;
  }

  /** With a port for each of its own addresses, and a part of each limit. */
  async #shared(spec: TenantSpec): Promise<TenantSpec> {
    const taken = [...this.#tenants].flatMap(({ shared }) => shared.recognitions);
    const recognitions: Recognition[] = [];
    for (const recognition of spec.recognitions)
      recognitions.push(
        // The worker that is asked first says whose an address is already.
        recognition.kind === 'listener' && !taken.some((one) => isSameAddress(one, recognition))
          ? { kind: 'listener', ...(await reserve(recognition)) }
          : recognition,
      );
    const { limits } = spec;
    return {
      ...spec,
      recognitions,
      ...(limits && { limits: sharedLimits(limits, this.#options.count) }),
    };
  }
}

const isSameAddress = (one: Recognition, { host, port }: Address): boolean =>
  one.kind === 'listener' && one.host === host && one.port === port;

const eventsLost = (lost: number | undefined): SecurityEvent =>
  configEvent({
    sandbox: ID,
    severity: 'medium',
    state: 'events_lost',
    message: `${lost ?? 'some'} events of a worker came faster than they could be recorded, and are lost`,
    unmapped: { lost: lost ?? 0 },
  });
