import { connect, type Socket } from 'node:net';
import type { Target } from './plan.ts';
import { returnReadBuffer, takeReadBuffer } from './read-buffers.ts';

/** How long the network may be silent before the kernel asks whether the peer still lives. */
export const KEEP_ALIVE_MS = 60_000;

/** Takes bytes that are valid only until it returns, or, when it returns false, until reading is resumed. */
export type ByteSink = (bytes: Buffer) => boolean;

/** A connection that can be read from before its reader takes over. */
export interface Carrier {
  readonly socket: Socket;
  /** Whom `socket` is connected with. */
  readonly target: Target;
  /** Gives what is read to a sink, from now on. */
  readInto(sink: ByteSink): void;
  /** Called by the sink with what it does not want of its bytes; nothing more comes until there is another reader. */
  putBack(bytes: Buffer): void;
}

/**
 * A connection to a destination that is read into one buffer over and over. Bulk transfers cost well under half the
 * processor time of a stream that makes a buffer for each read, and hold half the memory.
 */
export class Upstream implements Carrier {
  readonly socket: Socket;
  readonly target: Target;
  #buffer: Buffer | undefined = takeReadBuffer();
  #sink: ByteSink | undefined;
  /** Read before anybody wanted it; reading rests until then. */
  #early: Buffer | undefined;

  /** Begins to connect. */
  constructor(target: Target) {
    this.target = target;
    this.socket = connect({
      host: target.address,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      allowHalfOpen: true,
      autoSelectFamily: false,
      onread: {
        buffer: this.#buffer!,
        callback: (length, bytes) => this.#read((bytes as Buffer).subarray(0, length)),
      },
    });
  }

  /** Gives what is read to a sink, from now on. When the sink answers false, it resumes the socket itself. */
  readInto(sink: ByteSink): void {
    this.#sink = sink;
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined || sink(early)) this.socket.resume();
  }

  /** For a sink that then answers false. */
  putBack(bytes: Buffer): void {
    this.#sink = undefined;
    if (bytes.length > 0) this.#early = Buffer.from(bytes);
  }

  /** Gives its buffer back. Only once it and the socket that its bytes went to are closed. */
  release(): void {
    if (this.#buffer !== undefined) returnReadBuffer(this.#buffer);
    this.#buffer = undefined;
  }

  #read(bytes: Buffer): boolean {
    if (this.#sink !== undefined) return this.#sink(bytes);
    this.#early = Buffer.from(bytes);
    return false;
  }
}
