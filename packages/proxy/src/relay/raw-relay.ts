import type { Socket } from 'node:net';
import type { Upstream } from '../destination/upstream.ts';
import type { Limits } from '../limits.ts';
import { endGently } from './linger.ts';
import { OneWay } from './one-way.ts';
import { readInto } from './read-into.ts';
import type { RelayHandle } from './relay-handle.ts';
import { reset } from './reset.ts';

export interface RelayResult {
  /** Bytes that the sandbox sent to its destination, and got from it. */
  readonly out: number;
  readonly in: number;
  readonly durationMs: number;
  /** Set when it did not end by itself. */
  readonly reason?: string;
}

/**
 * Moves bytes between a client and its upstream until both sides have ended. Each side's end is passed on alone
 * (half-close), a reset as a reset, and a side that cannot take more makes the other wait.
 * Nothing is counted on the way: sockets know how much went through them.
 */
export class RawRelay implements RelayHandle {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #source: Upstream;
  readonly #limits: Limits;
  readonly #startedAt = performance.now();
  readonly #done = Promise.withResolvers<RelayResult>();
  #reason: string | undefined;
  #open = 2;
  #refusing = false;
  #release = (): void => {};

  constructor(client: Socket, source: Upstream, limits: Limits) {
    const upstream = source.socket;
    this.#client = client;
    this.#upstream = upstream;
    this.#source = source;
    this.#limits = limits;
    this.#watch(client, upstream);
    this.#watch(upstream, client);
    client.setTimeout(limits.idleTime, () => this.abort('nothing moved for too long'));
  }

  /** Resolves when both sockets are closed. Never rejects. */
  get done(): Promise<RelayResult> {
    return this.#done.promise;
  }

  /** Begins to pass on what the upstream sends. */
  startDownstream(): void {
    this.#source.readInto(new OneWay(this.#upstream, this.#client).deliver);
    this.#onEnd(this.#upstream, this.#client);
  }

  /** Begins to pass on what the client sends, after `first`, which was read before. */
  startUpstream(first?: Buffer): void {
    const [client, upstream] = [this.#client, this.#upstream];
    if (first !== undefined && first.length > 0 && upstream.writable) upstream.write(first);
    this.#onEnd(client, upstream);
    this.#release = readInto(client, new OneWay(client, upstream).deliver).release;
  }

  /** One side has ended: from now on silence means less patience. */
  halfClosed(): void {
    this.#client.setTimeout(this.#limits.halfClosedIdleTime);
  }

  /** Ends both sides at once with a reset, so that neither takes what it has for all. */
  abort(reason: string): void {
    this.#reason ??= reason;
    reset(this.#client);
    reset(this.#upstream);
  }

  /** There is nothing inside that a policy could be asked about. */
  reconsider(): void {}

  /** Nobody but the two ends knows when they have said all. */
  drain(): void {}

  /** Ends the upstream at once, and the client with these last words, or with a reset where there are none. */
  refuse(lastWords: Buffer | undefined, reason: string): void {
    this.#reason ??= reason;
    if (lastWords === undefined || this.#client.destroyed) {
      this.abort(reason);
      return;
    }
    this.#refusing = true;
    reset(this.#upstream);
    void endGently(this.#client, lastWords, this.#limits);
  }

  #onEnd(from: Socket, to: Socket): void {
    if (from.readableEnded) this.#pass(to);
    else from.on('end', () => this.#pass(to));
  }

  #pass(to: Socket): void {
    if (to.writable) to.end();
    this.halfClosed();
  }

  #watch(socket: Socket, other: Socket): void {
    socket.on('error', (error) => {
      this.#reason ??= error.message;
    });
    if (socket.destroyed) queueMicrotask(() => this.#closed(socket, other));
    else socket.once('close', () => this.#closed(socket, other));
  }

  #closed(socket: Socket, other: Socket): void {
    // A side that closed without having ended was reset or destroyed: the other must learn of it as a reset.
    if (!this.#refusing && (!socket.readableEnded || socket.errored !== null)) reset(other);
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#release();
    this.#source.release();
    this.#done.resolve({
      out: this.#upstream.bytesWritten,
      in: this.#upstream.bytesRead,
      durationMs: Math.round(performance.now() - this.#startedAt),
      ...(this.#reason !== undefined && { reason: this.#reason }),
    });
  }
}
