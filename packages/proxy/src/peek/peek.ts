import type { Socket } from 'node:net';
import type { Limits } from '../limits.ts';
import { classifyFirstBytes, type FirstBytes } from './first-bytes.ts';

/** How the looking ended. `late` and `full` mean that it could not be told in the time or space there is. */
export type PeekVerdict =
  | Exclude<FirstBytes, { kind: 'more' }>
  | { readonly kind: 'late' | 'full' | 'ended' };

export interface Peeked {
  readonly verdict: PeekVerdict;
  /** Everything that was read; nobody else has it. */
  readonly bytes: Buffer;
}

export interface PeekOptions {
  readonly socket: Socket;
  /** Read before. */
  readonly initial?: Buffer | undefined;
  readonly limits: Limits;
  /** Milliseconds to wait for the first byte; absent, for ever (servers that speak first). */
  readonly firstByteTime?: number | undefined;
}

/**
 * Reads a client's first bytes until they tell what they are. `done` is called exactly once, in the same turn as the
 * bytes came in, with the socket paused; not at all when the socket closes before.
 */
export function peek(options: PeekOptions, done: (peeked: Peeked) => void): void {
  new Peek(options, done).start();
}

class Peek {
  readonly #socket: Socket;
  readonly #limits: Limits;
  readonly #done: (peeked: Peeked) => void;
  readonly #firstByteTime: number | undefined;
  #bytes: Buffer;
  #timer: NodeJS.Timeout | undefined;

  constructor({ socket, initial, limits, firstByteTime }: PeekOptions, done: (peeked: Peeked) => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#done = done;
    this.#firstByteTime = firstByteTime;
    this.#bytes = initial ?? Buffer.alloc(0);
  }

  start(): void {
    if (this.#bytes.length > 0 && this.#judge()) return;
    if (this.#socket.destroyed) return;
    if (this.#socket.readableEnded) {
      this.#finish({ kind: 'ended' });
      return;
    }
    if (this.#bytes.length > 0) this.#startTimer(this.#limits.peekTime);
    else if (this.#firstByteTime !== undefined) this.#startTimer(this.#firstByteTime);
    this.#socket.on('data', this.#onData);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('close', this.#onClose);
    this.#socket.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#bytes.length === 0) {
      this.#bytes = chunk;
    } else {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    }
    if (!this.#judge() && this.#timer === undefined) this.#startTimer(this.#limits.peekTime);
  };

  readonly #onEnd = (): void => this.#finish({ kind: 'ended' });
  readonly #onClose = (): void => this.#detach();

  #judge(): boolean {
    // Judged only within the bound, so that the size of the chunks makes no difference.
    const { peekBytes } = this.#limits;
    const verdict = classifyFirstBytes(this.#bytes.subarray(0, peekBytes), this.#limits);
    if (verdict.kind !== 'more') this.#finish(verdict);
    else if (this.#bytes.length >= peekBytes) this.#finish({ kind: 'full' });
    else return false;
    return true;
  }

  #startTimer(ms: number): void {
    this.#timer = setTimeout(() => this.#finish({ kind: 'late' }), ms);
  }

  #detach(): void {
    clearTimeout(this.#timer);
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onClose);
  }

  #finish(verdict: PeekVerdict): void {
    this.#detach();
    this.#socket.pause();
    this.#done({ verdict, bytes: this.#bytes });
  }
}
