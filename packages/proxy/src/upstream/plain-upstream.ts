import { connect, type Socket } from 'node:net';
import type { Target } from '../destination/plan.ts';
import { type ByteSink, type Carrier, KEEP_ALIVE_MS } from '../destination/upstream.ts';

/** A connection whose bytes are for a reader of HTTP or TLS, which has its own way of reading. */
export class PlainUpstream implements Carrier {
  readonly socket: Socket;
  readonly target: Target;
  #onData: ((bytes: Buffer) => void) | undefined;

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
    });
  }

  readInto(sink: ByteSink): void {
    this.#onData = (bytes) => {
      if (!sink(bytes)) this.socket.pause();
    };
    this.socket.on('data', this.#onData);
  }

  putBack(bytes: Buffer): void {
    if (this.#onData !== undefined) this.socket.off('data', this.#onData);
    this.#onData = undefined;
    this.socket.pause();
    if (bytes.length > 0) this.socket.unshift(bytes);
  }
}
