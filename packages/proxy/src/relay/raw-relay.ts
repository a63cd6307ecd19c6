import type { Socket } from 'node:net';
import type { Limits } from '../limits.ts';
import { endGently, ignoreError } from './linger.ts';

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
 * The hot path allocates nothing of its own and counts nothing: sockets know how much went through them.
 */
export class RawRelay {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #limits: Limits;
  readonly #startedAt = performance.now();
  readonly #done = Promise.withResolvers<RelayResult>();
  #reason: string | undefined;
  #open = 2;
  #refusing = false;

  constructor(client: Socket, upstream: Socket, limits: Limits) {
    this.#client = client;
    this.#upstream = upstream;
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
    this.#pump(this.#upstream, this.#client);
  }

  /** Begins to pass on what the client sends, after `first`, which was read before. */
  startUpstream(first?: Buffer): void {
    if (first !== undefined && first.length > 0 && this.#upstream.writable) this.#upstream.write(first);
    this.#pump(this.#client, this.#upstream);
  }

  /** Ends both sides at once with a reset, so that neither takes what it has for all. */
  abort(reason: string): void {
    this.#reason ??= reason;
    reset(this.#client);
    reset(this.#upstream);
  }

  /** Ends the upstream at once, and the client with these last words, or with a reset where there are none. */
  refuse(lastWords: Buffer | undefined, reason: string): void {
    this.#reason ??= reason;
    if (lastWords === undefined || this.#client.destroyed) {
      this.abort(reason);
      return;
    }
    this.#refusing = true;
    reset(this.#upstream);
    this.#client.removeAllListeners('drain');
    void endGently(this.#client, lastWords, this.#limits);
  }

  #pump(from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    if (from.readableEnded) this.#pass(to);
    else from.on('end', () => this.#pass(to));
    from.resume();
  }

  #pass(to: Socket): void {
    if (to.writable) to.end();
    this.#client.setTimeout(this.#limits.halfClosedIdleTime);
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
    this.#done.resolve({
      out: this.#upstream.bytesWritten,
      in: this.#upstream.bytesRead,
      durationMs: Math.round(performance.now() - this.#startedAt),
      ...(this.#reason !== undefined && { reason: this.#reason }),
    });
  }
}

function reset(socket: Socket): void {
  if (socket.destroyed) return;
  socket.on('error', ignoreError);
  socket.resetAndDestroy();
}
