import type { Socket } from 'node:net';
import { type Reading, readInto } from '../relay/read-into.ts';

export interface InputConsumer {
  /**
   * Takes what it can and answers how many bytes that were; what it leaves is offered again after `wake`. The bytes lie in a
   * buffer that the next read overwrites: what is kept is copied.
   */
  consume(bytes: Buffer): number;
  /** Wants no bytes until `wake`. */
  readonly full: boolean;
  /** The peer sends nothing more, and everything that it sent was taken. */
  ended(): void;
}

/**
 * What comes in on a socket, for a reader that takes some of it now and the rest later. While something is left, the
 * socket is read on only up to a bound, so that a peer that goes away is noticed and one that floods is not.
 */
export class SocketInput {
  readonly #socket: Socket;
  readonly #consumer: InputConsumer;
  readonly #maxHeld: number;
  #reading: Reading | undefined;
  /** A copy of what was left. */
  #held: Buffer | undefined;
  #consuming = false;
  #again = false;
  #ended = false;
  #closed = false;

  constructor(socket: Socket, consumer: InputConsumer, maxHeld: number) {
    this.#socket = socket;
    this.#consumer = consumer;
    this.#maxHeld = maxHeld;
  }

  start(initial: Buffer | undefined): void {
    const socket = this.#socket;
    socket.on('end', this.#onEnd);
    if (initial !== undefined && initial.length > 0) this.#onBytes(initial);
    if (this.#closed) return;
    const reading = readInto(socket, this.#onBytes);
    // What was kept was copied, and what was written is with the TLS library or was copied, too.
    socket.once('close', () => reading.release());
    if (this.#closed) {
      reading.toStream();
      return;
    }
    this.#reading = reading;
    if (socket.readableEnded) this.#onEnd();
    this.#rest();
  }

  /** Offers what is left again. Within `consume` it is enough that the consumer goes on by itself. */
  wake(): void {
    if (this.#closed) return;
    if (this.#consuming) {
      this.#again = true;
      return;
    }
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#offer(held, true);
    if (this.#held !== undefined || this.#consumer.full || this.#closed) return;
    if (this.#ended) this.#tellEnd();
    else this.#socket.resume();
  }

  /** Stops reading: the socket is a stream again. What is left and was not taken. */
  detach(): Buffer {
    this.#closed = true;
    this.#socket.off('end', this.#onEnd);
    this.#reading?.toStream();
    const held = this.#held ?? Buffer.alloc(0);
    this.#held = undefined;
    return held;
  }

  /** False where reading is to rest. */
  readonly #onBytes = (bytes: Buffer): boolean => {
    if (this.#closed) {
      this.#socket.push(Buffer.from(bytes));
      return true;
    }
    if (this.#held === undefined && !this.#consumer.full) this.#offer(bytes, false);
    else this.#hold(bytes);
    if (this.#closed || this.#wantsMore()) return true;
    this.#socket.pause();
    return false;
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    if (this.#held === undefined && !this.#consuming && !this.#consumer.full) this.#tellEnd();
  };

  #offer(bytes: Buffer, owned: boolean): void {
    this.#consuming = true;
    let at = 0;
    do {
      this.#again = false;
      at += this.#consumer.consume(at === 0 ? bytes : bytes.subarray(at));
    } while (this.#again && at < bytes.length && !this.#closed && !this.#consumer.full);
    this.#consuming = false;
    if (at === bytes.length || this.#closed) return;
    if (owned) this.#held = at === 0 ? bytes : bytes.subarray(at);
    else this.#hold(bytes.subarray(at));
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held === undefined ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
  }

  #wantsMore(): boolean {
    return !this.#consumer.full && (this.#held?.length ?? 0) < this.#maxHeld;
  }

  #rest(): void {
    if (!this.#wantsMore()) this.#socket.pause();
  }

  #tellEnd(): void {
    this.#ended = false;
    this.#consumer.ended();
  }
}
