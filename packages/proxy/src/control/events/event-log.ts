import type { SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import { weightOf } from './weight.ts';

export interface EventLogOptions {
  /** Random, new with each start of the proxy. */
  readonly instance: string;
  /** The bounds of what is kept, of all tenants together. */
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** One event in its place. It is gone when its `event` is. */
export interface LoggedEvent {
  readonly sequence: number;
  readonly tenant: SandboxId;
  readonly weight: number;
  event: SecurityEvent | undefined;
  earlier: LoggedEvent | undefined;
  later: LoggedEvent | undefined;
  /** The next one of the same tenant. */
  next: LoggedEvent | undefined;
}

/** What one tenant has in the log. */
interface Share {
  first: LoggedEvent | undefined;
  last: LoggedEvent | undefined;
  bytes: number;
  /** The newest of its events that is gone. */
  lostUpTo: number;
  /** The tenant was removed. */
  forgotten: boolean;
}

/** Let go at once when the log is full, as a part of each bound: to find out whose events those are takes longer than to write one. */
const ROOM = 1 / 16;

/**
 * The newest events of a proxy, numbered through, for whoever follows them and comes back after a while. Where there are too many the
 * oldest go, of the tenant with the most: who makes many events loses its own.
 */
export class EventLog {
  readonly instance: string;
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #shares = new Map<SandboxId, Share>();
  readonly #waiting = new Set<() => void>();
  #first: LoggedEvent | undefined;
  #last: LoggedEvent | undefined;
  #sequence = 0;
  #events = 0;
  #bytes = 0;
  /** The newest that is gone of tenants that nothing else is known of any longer. */
  #lostOfOthers = 0;
  #newestLost = 0;

  constructor({ instance, maxEvents, maxBytes }: EventLogOptions) {
    this.instance = instance;
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** The number of the newest event; 0: there was none. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /** About what is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many tenants something is known of. */
  get tenants(): number {
    return this.#shares.size;
  }

  append(tenant: SandboxId, event: SecurityEvent): void {
    this.#sequence += 1;
    const entry: LoggedEvent = {
      sequence: this.#sequence,
      tenant,
      weight: weightOf(event),
      event,
      earlier: this.#last,
      later: undefined,
      next: undefined,
    };
    if (this.#last !== undefined) this.#last.later = entry;
    this.#first ??= entry;
    this.#last = entry;
    this.#events += 1;
    this.#bytes += entry.weight;
    this.#share(entry);
    if (this.#events > this.#maxEvents || this.#bytes > this.#maxBytes) this.#makeRoom();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** The first that is kept behind this number. `from`: one that was read before, which saves the search where it is still kept. */
  after(sequence: number, from?: LoggedEvent): LoggedEvent | undefined {
    if (from?.event === undefined && this.#isNearEnd(sequence)) return this.#backTo(sequence);
    let entry = from?.event === undefined ? this.#first : from;
    while (entry !== undefined && entry.sequence <= sequence) entry = entry.later;
    return entry;
  }

  /** Whether the way from the newest event back is the shorter one: most readers come back soon. */
  #isNearEnd(sequence: number): boolean {
    return this.#sequence - sequence < sequence - (this.#first?.sequence ?? 0);
  }

  #backTo(sequence: number): LoggedEvent | undefined {
    let entry: LoggedEvent | undefined;
    for (let one = this.#last; one !== undefined && one.sequence > sequence; one = one.earlier) entry = one;
    return entry;
  }

  /** The newest event that is gone, of any tenant. */
  get newestLost(): number {
    return this.#newestLost;
  }

  /** The newest event that is gone of these tenants, or of all. */
  lostUpTo(tenants: ReadonlySet<SandboxId> | undefined): number {
    if (tenants === undefined) return this.#newestLost;
    let newest = 0;
    for (const tenant of tenants)
      newest = Math.max(newest, this.#shares.get(tenant)?.lostUpTo ?? this.#lostOfOthers);
    return newest;
  }

  /** Calls once, with the next event. Answers with what takes that back. */
  onAppend(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** The tenant is gone. What it had is kept while there is room, and then nothing of it is left. */
  forget(tenant: SandboxId): void {
    const share = this.#shares.get(tenant);
    if (share === undefined) return;
    share.forgotten = true;
    this.#dropEmpty(tenant, share);
  }

  #share(entry: LoggedEvent): void {
    const share = this.#shares.get(entry.tenant);
    if (share === undefined) {
      const { weight } = entry;
      const lostUpTo = this.#lostOfOthers;
      this.#shares.set(entry.tenant, {
        first: entry,
        last: entry,
        bytes: weight,
        lostUpTo,
        forgotten: false,
      });
      return;
    }
    if (share.last !== undefined) share.last.next = entry;
    share.first ??= entry;
    share.last = entry;
    share.bytes += entry.weight;
    share.forgotten = false;
  }

  #dropEmpty(tenant: SandboxId, share: Share): void {
    if (!share.forgotten || share.first !== undefined) return;
    this.#shares.delete(tenant);
    this.#lostOfOthers = Math.max(this.#lostOfOthers, share.lostUpTo);
  }

  #makeRoom(): void {
    const events = this.#maxEvents * (1 - ROOM);
    const bytes = this.#maxBytes * (1 - ROOM);
    const isFull = () => this.#events > 1 && (this.#events > events || this.#bytes > bytes);
    while (isFull()) {
      const [most, second] = this.#heaviest();
      // As far as to the next one, so that both have the same share of what is kept.
      do this.#drop(most);
      while (isFull() && most.first !== undefined && most.bytes >= second);
    }
  }

  #heaviest(): readonly [Share, number] {
    let most: Share | undefined;
    let second = 0;
    for (const share of this.#shares.values()) {
      if (most !== undefined && share.bytes <= most.bytes) second = Math.max(second, share.bytes);
      else {
        second = most?.bytes ?? 0;
        most = share;
      }
    }
    return [most!, second];
  }

  #drop(share: Share): void {
    const entry = share.first!;
    share.first = entry.next;
    if (share.first === undefined) share.last = undefined;
    share.bytes -= entry.weight;
    share.lostUpTo = entry.sequence;
    this.#newestLost = Math.max(this.#newestLost, entry.sequence);
    if (entry.earlier === undefined) this.#first = entry.later;
    else entry.earlier.later = entry.later;
    if (entry.later === undefined) this.#last = entry.earlier;
    else entry.later.earlier = entry.earlier;
    this.#events -= 1;
    this.#bytes -= entry.weight;
    this.#dropEmpty(entry.tenant, share);
    // Whoever still holds it holds nothing else.
    entry.event = undefined;
    entry.earlier = undefined;
    entry.later = undefined;
    entry.next = undefined;
  }
}
