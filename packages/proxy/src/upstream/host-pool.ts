import { checkDestination, type DestinationRule } from '@openshell/policy';
import type { UpstreamConnection, UpstreamFailure } from '../exchange/exchange.ts';
import type { Limits } from '../limits.ts';
import type { PooledConnection, UpstreamDestination } from './destination.ts';
import type { OpenResult } from './opener.ts';

/** What a host's pool needs of the tenant's. */
export interface PoolOwner {
  readonly limits: Limits;
  open(destination: UpstreamDestination, signal: AbortSignal): Promise<OpenResult>;
  /** Takes one of the tenant's places for a connection, if need be by closing an idle one; false: there is none. */
  takePlace(): boolean;
  givePlace(): void;
  /** One more or less connection is idle. */
  idleChanged(by: 1 | -1): void;
  /** Nothing is left in the pool of this key. */
  emptied(key: string): void;
  /** Whether the policy of this moment has no more use for a connection. */
  isRetired(connection: PooledConnection): boolean;
}

export interface Waiter {
  readonly destination: UpstreamDestination;
  resolve(result: UpstreamConnection | UpstreamFailure): void;
}

/**
 * Streams that are promised on a connection before any of them has begun: no server should allow fewer at one time
 * (RFC 9113 section 6.5.2).
 */
const PROMISED_STREAMS = 100;

const CLOSED_AT_ONCE: UpstreamFailure = {
  code: 'upstream_unreachable',
  detail: 'the upstream closed the connection as soon as it was open',
  retry: false,
};

const NO_LONGER_ALLOWED: UpstreamFailure = {
  code: 'ssrf_denied',
  detail: 'a policy that was installed while the connection was being opened does not allow it',
  retry: false,
};

/** One connection and what the pool knows of it. */
class Entry implements PooledConnection {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly partition: string;
  readonly target: PooledConnection['target'];
  readonly overridden: boolean;
  readonly connection: UpstreamConnection;
  /** Rules of addresses that it was opened or found acceptable under; they are objects of a generation. */
  readonly #rules = new WeakSet<DestinationRule>();
  /** Given to waiters in this turn of the event loop, which have not begun yet. */
  promised = 0;
  /** Stands in the list of those that were free. */
  listed = false;
  /** `performance.now()`; only while idle. */
  idleSince = 0;
  idle = false;
  retired = false;
  /** The pool has closed it and waits for it to say so. */
  closing = false;

  constructor(destination: UpstreamDestination, opened: Extract<OpenResult, { kind: 'opened' }>) {
    this.scheme = destination.scheme;
    this.host = destination.host;
    this.port = destination.port;
    this.partition = destination.partition;
    this.target = opened.target;
    this.overridden = opened.overridden;
    this.connection = opened.connection;
    this.#rules.add(destination.rule);
  }

  /** Whether one more exchange can begin on it now. */
  get free(): boolean {
    const { connection } = this;
    if (this.retired || this.closing || connection.closed || !connection.available) return false;
    return connection.protocol === 'h2'
      ? this.promised < PROMISED_STREAMS
      : connection.idle && this.promised === 0;
  }

  /** Whether its address is one that the rule allows. */
  suits({ rule, host, port }: UpstreamDestination): boolean {
    if (this.overridden || this.#rules.has(rule)) return true;
    if (!checkDestination([this.target.address], { ...rule, host, port }).ok) return false;
    this.#rules.add(rule);
    return true;
  }
}

/** The connections to one host and port, of one partition, and the requests that wait for one. */
export class HostPool {
  readonly #owner: PoolOwner;
  readonly #key: string;
  readonly #entries = new Map<UpstreamConnection, Entry>();
  /** Those that were free when last looked at, the latest on top; busy ones are dropped when they are met. */
  readonly #ready: Entry[] = [];
  #waiters: Waiter[] = [];
  readonly #openings = new Set<AbortController>();
  #idle = 0;
  /** What the host last agreed to. */
  #speaks: 'h1' | 'h2' | undefined;
  #destroyed = false;

  constructor(owner: PoolOwner, key: string) {
    this.#owner = owner;
    this.#key = key;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  connections(): Iterable<PooledConnection> {
    return this.#entries.values();
  }

  /** A connection on which an exchange can begin now; the latest used first, so that the others may grow old. */
  take(destination: UpstreamDestination): UpstreamConnection | undefined {
    for (let i = this.#ready.length - 1; i >= 0; i--) {
      const entry = this.#ready[i]!;
      if (!entry.free) {
        entry.listed = false;
        this.#ready.splice(i, 1);
      } else if (entry.suits(destination)) {
        return entry.connection;
      }
    }
    return undefined;
  }

  wait(waiter: Waiter): void {
    this.#waiters.push(waiter);
    this.serve();
  }

  /** The waiter has gone; so may a connection that is being opened for it. */
  forget(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    this.#checkEmpty();
    if (this.#openings.size <= this.#waiters.length) return;
    const last = [...this.#openings].at(-1);
    if (last !== undefined) last.abort(new Error('nobody waits for it any more'));
  }

  /** Gives waiters what there is, and opens what is missing, within the bounds. */
  serve(): void {
    this.#waiters = this.#waiters.filter((waiter) => !this.#satisfy(waiter));
    while (this.#openings.size < this.#wanted()) {
      if (this.#entries.size + this.#openings.size >= this.#owner.limits.upstreamConnectionsPerHost) return;
      if (!this.#owner.takePlace()) return;
      void this.#open(this.#waiters[this.#openings.size]!.destination);
    }
  }

  /** Closes the connection that has been idle longest, where there is one. */
  closeOldest(): void {
    const oldest = this.#oldest();
    if (oldest !== undefined) this.#close(oldest);
  }

  /** Since when its oldest idle connection is; undefined where there is none. */
  get idleSince(): number | undefined {
    return this.#oldest()?.idleSince;
  }

  closeIdle(before: number): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.idle && entry.idleSince <= before) this.#close(entry);
    }
  }

  /** Gives away no more what the owner no longer wants, and closes it as soon as it is idle. */
  retire(): void {
    for (const entry of [...this.#entries.values()]) {
      if (this.#owner.isRetired(entry)) this.#retire(entry);
    }
  }

  destroy(failure: UpstreamFailure): void {
    this.#destroyed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(failure);
    for (const opening of this.#openings) opening.abort(new Error(failure.detail));
    for (const entry of [...this.#entries.values()]) this.#close(entry);
  }

  /** Until it is known that the host speaks HTTP/1 only, one connection may be enough for all. */
  #wanted(): number {
    const [first] = this.#waiters;
    if (first === undefined) return 0;
    const single = first.destination.protocols.includes('h2') && this.#speaks !== 'h1';
    return single ? 1 : this.#waiters.length;
  }

  #satisfy(waiter: Waiter): boolean {
    const connection = this.take(waiter.destination);
    if (connection === undefined) return false;
    const entry = this.#entries.get(connection)!;
    entry.promised += 1;
    this.#setIdle(entry, false);
    // It begins in this turn or not at all.
    setImmediate(() => {
      entry.promised -= 1;
      this.#changed(entry);
    });
    waiter.resolve(connection);
    return true;
  }

  async #open(destination: UpstreamDestination): Promise<void> {
    const opening = new AbortController();
    this.#openings.add(opening);
    const result = await this.#owner.open(destination, opening.signal);
    this.#openings.delete(opening);
    const failure = result.kind === 'failed' ? result.failure : this.#admit(new Entry(destination, result));
    if (failure === undefined) return;
    this.#owner.givePlace();
    // Those for whom nothing else is under way share the failure.
    while (this.#waiters.length > this.#openings.size) this.#waiters.shift()!.resolve(failure);
    this.#checkEmpty();
  }

  /** Takes a new connection in, or closes it and says why. */
  #admit(entry: Entry): UpstreamFailure | undefined {
    const { connection } = entry;
    // A policy may have been installed while it was being opened.
    const retired = this.#owner.isRetired(entry);
    if (retired || !connection.available || this.#destroyed) {
      connection.destroy();
      return retired ? NO_LONGER_ALLOWED : CLOSED_AT_ONCE;
    }
    this.#entries.set(connection, entry);
    this.#speaks = connection.protocol;
    connection.onChange = () => this.#changed(entry);
    this.#changed(entry);
    this.serve();
    return undefined;
  }

  #checkEmpty(): void {
    const { size } = this.#entries;
    if (size + this.#waiters.length + this.#openings.size === 0) this.#owner.emptied(this.#key);
  }

  #retire(entry: Entry): void {
    entry.retired = true;
    if (entry.connection.idle) this.#close(entry);
  }

  #close(entry: Entry): void {
    entry.closing = true;
    this.#setIdle(entry, false);
    entry.connection.destroy();
  }

  #changed(entry: Entry): void {
    const { connection } = entry;
    if (!this.#entries.has(connection)) return;
    this.#setIdle(entry, !connection.closed && !entry.closing && connection.idle && entry.promised === 0);
    if (connection.closed) {
      this.#entries.delete(connection);
      this.#owner.givePlace();
      this.#checkEmpty();
      return;
    }
    if (entry.idle && this.#superfluous(entry)) {
      this.#close(entry);
      return;
    }
    if (!entry.free) return;
    this.#putOnTop(entry);
    if (this.#waiters.length > 0) this.serve();
  }

  #putOnTop(entry: Entry): void {
    if (this.#ready.at(-1) === entry) return;
    if (entry.listed) this.#ready.splice(this.#ready.lastIndexOf(entry), 1);
    entry.listed = true;
    this.#ready.push(entry);
  }

  /** Retired, spent, or beyond what is kept. */
  #superfluous(entry: Entry): boolean {
    if (entry.retired || !entry.connection.available) return true;
    return this.#waiters.length === 0 && this.#idle > this.#owner.limits.upstreamIdlePerHost;
  }

  #setIdle(entry: Entry, idle: boolean): void {
    if (entry.idle === idle) return;
    entry.idle = idle;
    if (idle) entry.idleSince = performance.now();
    this.#idle += idle ? 1 : -1;
    this.#owner.idleChanged(idle ? 1 : -1);
  }

  #oldest(): Entry | undefined {
    let oldest: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.idle && (oldest === undefined || entry.idleSince < oldest.idleSince)) oldest = entry;
    }
    return oldest;
  }
}
