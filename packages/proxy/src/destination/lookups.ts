import type { Resolver } from './resolver.ts';

/** What libuv starts where nobody says otherwise (`UV_THREADPOOL_SIZE`). */
const THREADS = 4;
const MOST_THREADS = 1024;

/** Names that the system can look up at one time: getaddrinfo(3) waits in a thread, and libuv gives it half of those that it has. */
export function lookupSlots(size: string | undefined): number {
  const asked = Number(size);
  const threads = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MOST_THREADS) : THREADS;
  return Math.floor((threads + 1) / 2);
}

export interface LookupsOptions {
  readonly resolver: Resolver;
  /** At one time. */
  readonly slots: number;
  /** How many share them. */
  readonly tenants: () => number;
  /** Names of one tenant that wait for a slot. */
  readonly maxWaiting: number;
  /** After which nobody waits any more, in ms. */
  readonly waitMs: number;
}

interface Job extends PromiseWithResolvers<readonly string[]> {
  readonly host: string;
  /** `performance.now()` of whoever asked last. */
  since: number;
}

/** One tenant's. */
interface Lane {
  running: number;
  /** Under way or waiting. */
  readonly known: Map<string, Job>;
  readonly waiting: Job[];
}

/**
 * Lets tenants look names up side by side. A name whose server never answers holds its slot for as long as the system tries, whoever has given
 * up by then; so tenants take turns, and while there are several none has more than a part of the slots.
 */
export class Lookups {
  readonly #options: LookupsOptions;
  /** Those where something waits, the next one first. */
  readonly #lanes = new Set<Lane>();
  #running = 0;

  constructor(options: LookupsOptions) {
    this.#options = options;
  }

  /** For one tenant. */
  lane(): Resolver {
    const lane: Lane = { running: 0, known: new Map(), waiting: [] };
    return { lookup: (host) => this.#lookup(lane, host) };
  }

  async #lookup(lane: Lane, host: string): Promise<readonly string[]> {
    const now = performance.now();
    const known = lane.known.get(host);
    if (known !== undefined) {
      known.since = now;
      return known.promise;
    }
    if (lane.waiting.length >= this.#options.maxWaiting)
      throw new Error('too many names are being looked up');
    const job: Job = { ...Promise.withResolvers<readonly string[]>(), host, since: now };
    lane.known.set(host, job);
    lane.waiting.push(job);
    this.#lanes.add(lane);
    this.#next();
    return job.promise;
  }

  #next(): void {
    const { slots, tenants } = this.#options;
    const most = tenants() > 1 ? Math.max(1, Math.floor(slots / 4)) : slots;
    // One that had its turn goes behind the others, where this comes to it again.
    for (const lane of this.#lanes) {
      if (this.#running >= slots) return;
      if (lane.running >= most) continue;
      this.#lanes.delete(lane);
      const job = this.#take(lane);
      if (lane.waiting.length > 0) this.#lanes.add(lane);
      if (job !== undefined) void this.#run(lane, job);
    }
  }

  /** The first that somebody still waits for. */
  #take(lane: Lane): Job | undefined {
    for (let job = lane.waiting.shift(); job !== undefined; job = lane.waiting.shift()) {
      if (performance.now() - job.since < this.#options.waitMs) return job;
      lane.known.delete(job.host);
      job.reject(new Error('it did not get its turn'));
    }
    return undefined;
  }

  async #run(lane: Lane, job: Job): Promise<void> {
    this.#running += 1;
    lane.running += 1;
    try {
      job.resolve(await this.#options.resolver.lookup(job.host));
    } catch (thrown) {
      job.reject(thrown);
    }
    this.#running -= 1;
    lane.running -= 1;
    lane.known.delete(job.host);
    this.#next();
  }
}
