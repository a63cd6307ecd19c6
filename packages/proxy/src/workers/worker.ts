import type { Server } from 'node:net';
import type { Refusal } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import { PROTOCOL } from '@openshell/control';
import { beginListening, type Listen, type ListenAddress, makeServer } from '../control/tenants/listen.ts';
import { LIMITS, type Limits } from '../limits.ts';
import type { ProxyProcess } from '../program/proxy-process.ts';
import { AuthorityKeys } from '../tls/authority-keys.ts';
import { AuthorityRing } from '../tls/authority-ring.ts';
import type { Channel } from './channel.ts';
import { EventPump } from './event-pump.ts';
import { type Handlers, Peer } from './peer.ts';
import type { FirstCalls, WorkerCalls, WorkerStart } from './protocol.ts';

/** What the process of a worker has of the first one. */
export interface WorkerParts {
  readonly role: 'worker';
  readonly authority: () => Promise<AuthorityRing>;
  readonly listen: Listen;
  readonly refusals: (refusal: Refusal, tenant: SandboxId) => void;
  readonly limits: Partial<Limits>;
}

export interface MadeWorker {
  readonly proxy: Pick<ProxyProcess, 'host' | 'nodes' | 'linkPort' | 'listen' | 'renewLink'>;
  /** How long open connections may go on when the first process is gone, in ms. */
  readonly drainMs: number;
  /** Whether its events are for anybody; otherwise they stay here. */
  readonly recorded: boolean;
}

/** What is made of a command line; all of it ends with `stack`. */
export type MakeWorker = (
  start: WorkerStart,
  parts: WorkerParts,
  stack: AsyncDisposableStack,
) => Promise<MadeWorker>;

export interface WorkerOptions {
  readonly channel: Channel;
  readonly make: MakeWorker;
}

/** For the record of a process that records nothing itself. */
const FIRST = { name: 'the first process', protocol: PROTOCOL, role: 'controller' } as const;

/**
 * A worker: it carries connections as the first process says, and knows nothing of controllers. When the first process is gone nobody could
 * change what it lets through, so it takes no new connections and ends when the open ones have ended.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #first: Peer<FirstCalls, WorkerCalls>;
  readonly #stack = new AsyncDisposableStack();
  readonly #ended = Promise.withResolvers<void>();
  /** Of tenants that came before the worker serves. */
  #early: { readonly server: Server; readonly address: ListenAddress }[] | undefined = [];
  #process: MadeWorker['proxy'] | undefined;
  #drainMs = 0;
  #pump: EventPump | undefined;
  #ring: AuthorityRing | undefined;
  #refusalsUnderWay = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#first = new Peer(options.channel, this.#calls());
    void options.channel.closed.then(() => this.#orphaned());
  }

  /** Resolves when nothing is left of it. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  #calls(): Handlers<WorkerCalls> {
    const own = () => this.#process!.host.operations({ sources: 'pushed', name: 'workers' }, FIRST);
    return {
      start: (start) => this.#start(start),
      register: (spec) => own().registerTenant(spec),
      remove: (id) => own().removeTenant(id),
      apply: ({ order, sources, as }) =>
        this.#process!.host.operations({ sources, name: 'workers' }, FIRST).apply(order, as),
      serve: (words) => this.#serve(words),
      report: () => {
        this.#pump?.hurry();
        return this.#process!.host.status();
      },
      explain: (query) => own().explain(query),
      adopt: (keys) => this.#ring?.adopt(AuthorityKeys.from(keys)),
      renewLink: (certificates) => this.#process!.renewLink(certificates),
      refused: ({ tenant, refusal }) => this.#process!.nodes.refused(tenant, refusal),
      drain: (timeoutMs) => this.#process!.host.drain(timeoutMs),
      end: () => this.#end(),
    };
  }

  async #start(start: WorkerStart): Promise<void> {
    const { proxy, drainMs, recorded } = await this.#options.make(
      start,
      {
        role: 'worker',
        authority: () => this.#makeRing(),
        listen: (address) => this.#listen(address),
        refusals: (refusal, tenant) => this.#passOn(refusal, tenant),
        limits: {
          controlEvents: LIMITS.workerEvents.value,
          controlEventBytes: LIMITS.workerEventBytes.value,
        },
      },
      this.#stack,
    );
    this.#process = proxy;
    this.#drainMs = drainMs;
    if (!recorded) return;
    const { host } = proxy;
    const { instance } = host;
    const { events } = host.operations({ sources: 'pushed', name: 'workers' }, FIRST);
    this.#pump = new EventPump({
      read: (sequence, follow) => events({ after: { instance, sequence }, follow }),
      most: LIMITS.workerEventBatch.value,
      send: (events) => this.#first.call('events', JSON.stringify(events)),
    });
  }

  async #makeRing(): Promise<AuthorityRing> {
    const keys = await this.#first.call('authority', undefined);
    // Nothing is awaited from the answer to here: the next change finds the ring.
    this.#ring = AuthorityRing.shared(AuthorityKeys.from(keys));
    return this.#ring;
  }

  /** Before the worker serves, a tenant's own address is not open: its generation may not be there yet. */
  async #listen(address: ListenAddress): Promise<Server> {
    const server = makeServer();
    if (this.#early === undefined) await beginListening(server, address, true);
    else this.#early.push({ server, address });
    return server;
  }

  async #serve(words: Parameters<WorkerCalls['serve']>[0]): Promise<void> {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const { server, address } of early) await beginListening(server, address, true);
    const descriptors = words.flatMap((word) => (word.kind === 'descriptor' ? [word.name] : []));
    const own = new Map(descriptors.map((name) => [name, [Number(name)]]));
    await this.#process!.listen(words, own, 'one-of-several');
  }

  /** As many as there is room for: the record has them all. */
  #passOn(refusal: Refusal, tenant: SandboxId): void {
    if (this.#process?.linkPort === undefined) return;
    if (this.#refusalsUnderWay >= LIMITS.workerRefusals.value) return;
    this.#refusalsUnderWay += 1;
    const done = () => {
      this.#refusalsUnderWay -= 1;
    };
    this.#first.call('refused', { tenant, refusal }).then(done, done);
  }

  async #end(): Promise<void> {
    await this.#stack.disposeAsync();
    const { lastEvent } = this.#process?.host.status() ?? { lastEvent: 0 };
    await this.#pump?.sent(lastEvent);
    this.#ended.resolve();
  }

  async #orphaned(): Promise<void> {
    await this.#process?.host.drain(this.#drainMs);
    // Nobody is there who would end a worker that does not end by itself.
    const late = setTimeout(() => this.#ended.resolve(), LIMITS.stopTime.value);
    await this.#stack.disposeAsync();
    clearTimeout(late);
    this.#ended.resolve();
  }
}
