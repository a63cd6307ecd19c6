import { messageOf } from '@openshell/base';
import type { UpstreamConnection, UpstreamFailure } from '../exchange/exchange.ts';
import type { Limits } from '../limits.ts';
import type { PooledConnection, UpstreamDestination } from './destination.ts';
import { HostPool, type PoolOwner, type Waiter } from './host-pool.ts';
import { type OpenerOptions, UpstreamOpener } from './opener.ts';

/**
 * The connections of one tenant to its upstreams. A request gets one that is idle (or, in HTTP/2, shared) or waits for one that is
 * opened; never one of another tenant, of another partition, or at an address that its own rule does not allow.
 */
export class UpstreamPool {
  readonly #limits: Limits;
  readonly #opener: UpstreamOpener;
  readonly #hosts = new Map<string, HostPool>();
  readonly #owner: PoolOwner;
  #places = 0;
  #idle = 0;
  #waiting = 0;
  #serving = false;
  #retired: (connection: PooledConnection) => boolean = () => false;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: OpenerOptions) {
    this.#limits = options.limits;
    this.#opener = new UpstreamOpener(options);
    this.#owner = {
      limits: options.limits,
      open: (destination, signal) => this.#opener.open(destination, signal),
      takePlace: () => this.#takePlace(),
      givePlace: () => this.#givePlace(),
      idleChanged: (by) => this.#idleChanged(by),
      emptied: (key) => this.#forget(key),
      isRetired: (connection) => this.#retired(connection),
    };
  }

  /**
   * A connection for one request, at once where there is a free one. The caller starts its exchange without waiting for
   * anything else: in the same call, or right where the promise has resolved. Never rejects.
   */
  acquire(
    destination: UpstreamDestination,
    signal: AbortSignal,
  ): UpstreamConnection | Promise<UpstreamConnection | UpstreamFailure> {
    const key = keyOf(destination);
    const host = this.#hosts.get(key);
    // Who waits already comes first.
    if (host !== undefined && host.waiting === 0) {
      const connection = host.take(destination);
      if (connection !== undefined) return connection;
    }
    return this.#wait(key, destination, signal);
  }

  /**
   * From now on connections for which `isRetired` is true get no further request, and are closed when they are idle. It speaks
   * for the policy of this moment: connections that are opened later are asked about too, until the next call replaces it.
   */
  retire(isRetired: (connection: PooledConnection) => boolean): void {
    this.#retired = isRetired;
    for (const host of this.#hosts.values()) host.retire();
  }

  /** Ends every connection and every wait. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    for (const host of this.#hosts.values()) host.destroy(gone('the proxy is closing'));
    this.#hosts.clear();
  }

  /** Connections there are, idle ones among them, and requests that wait. */
  get counts(): { readonly connections: number; readonly idle: number; readonly waiting: number } {
    return { connections: this.#places, idle: this.#idle, waiting: this.#waiting };
  }

  #wait(
    key: string,
    destination: UpstreamDestination,
    signal: AbortSignal,
  ): Promise<UpstreamConnection | UpstreamFailure> {
    if (this.#closed) return Promise.resolve(gone('the proxy is closing'));
    if (signal.aborted) return Promise.resolve(gone(messageOf(signal.reason)));
    const { upstreamWaiting, upstreamWaitTime } = this.#limits;
    if (this.#waiting >= upstreamWaiting)
      return Promise.resolve(late('too many requests wait for their upstreams'));
    const { promise, resolve } = Promise.withResolvers<UpstreamConnection | UpstreamFailure>();
    const host = this.#hostFor(key);
    const settle = (result: UpstreamConnection | UpstreamFailure): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#waiting -= 1;
      resolve(result);
    };
    const waiter: Waiter = { destination, resolve: settle };
    const leave = (failure: UpstreamFailure): void => {
      settle(failure);
      host.forget(waiter);
    };
    const onAbort = (): void => leave(gone(messageOf(signal.reason)));
    const timer = setTimeout(
      () => leave(late(`no connection to ${destination.host} within ${upstreamWaitTime} ms`)),
      upstreamWaitTime,
    );
    signal.addEventListener('abort', onAbort);
    this.#waiting += 1;
    host.wait(waiter);
    return promise;
  }

  #hostFor(key: string): HostPool {
    let host = this.#hosts.get(key);
    if (host === undefined) {
      host = new HostPool(this.#owner, key);
      this.#hosts.set(key, host);
    }
    if (this.#sweep === undefined) {
      this.#sweep = setInterval(() => this.#clean(), Math.max(1, this.#limits.upstreamIdleTime / 4));
      this.#sweep.unref();
    }
    return host;
  }

  /** Closes what has been idle too long. */
  #clean(): void {
    const before = performance.now() - this.#limits.upstreamIdleTime;
    for (const host of this.#hosts.values()) host.closeIdle(before);
  }

  #forget(key: string): void {
    this.#hosts.delete(key);
    if (this.#hosts.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #takePlace(): boolean {
    if (this.#places >= this.#limits.upstreamConnections) this.#closeOldest();
    if (this.#places >= this.#limits.upstreamConnections) return false;
    this.#places += 1;
    return true;
  }

  #givePlace(): void {
    this.#places -= 1;
    if (this.#waiting > 0) this.#serveSoon();
  }

  /** In a turn of its own: a host may be in the middle of being served. */
  #serveSoon(): void {
    if (this.#serving) return;
    this.#serving = true;
    setImmediate(() => {
      this.#serving = false;
      for (const host of this.#hosts.values()) if (host.waiting > 0) host.serve();
    });
  }

  #idleChanged(by: 1 | -1): void {
    this.#idle += by;
    // It may be the place that a request to another host waits for.
    if (by === 1 && this.#waiting > 0 && this.#places >= this.#limits.upstreamConnections) this.#serveSoon();
    if (this.#idle > this.#limits.upstreamIdle) this.#closeOldest();
  }

  #closeOldest(): void {
    let oldest: HostPool | undefined;
    let since = Number.POSITIVE_INFINITY;
    for (const host of this.#hosts.values()) {
      const { idleSince } = host;
      if (idleSince !== undefined && idleSince < since) [oldest, since] = [host, idleSince];
    }
    oldest?.closeOldest();
  }
}

const keyOf = ({ scheme, host, port, protocols, partition }: UpstreamDestination): string =>
  `${scheme} ${host} ${port} ${protocols.join()} ${partition}`;

const gone = (detail: string): UpstreamFailure => ({ code: 'upstream_unreachable', detail, retry: false });
const late = (detail: string): UpstreamFailure => ({ code: 'upstream_timeout', detail, retry: false });
