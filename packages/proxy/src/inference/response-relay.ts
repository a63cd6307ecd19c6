import type { BodyReceiver, BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';
import type { Dialect } from './api.ts';
import { errorEvent } from './api-error.ts';
import type { EventRelay } from './event-relay.ts';
import type { MemberCapture } from './member-capture.ts';

/** How a response is read while it passes: a stream of events, or one JSON text. */
export type ResponseReading =
  | {
      readonly kind: 'events';
      readonly relay: EventRelay;
      readonly dialect: Dialect;
      readonly chunkTime: number;
    }
  | { readonly kind: 'text'; readonly usage: MemberCapture; readonly timeLeft: number };

export interface ResponseRelayOptions {
  readonly source: BodySource;
  /** Ends the exchange with the backend. */
  readonly abort: (reason: string) => void;
  readonly sink: BodySink;
  readonly reading: ResponseReading;
  readonly maxBytes: number;
  /** Called once. `failure`: why the response is not complete. */
  readonly onEnd: (failure: string | undefined) => void;
}

/**
 * Brings the body of a backend's response to the client. What cannot be completed ends honestly: a stream of events with an error event of
 * the API's own, anything else without its proper end.
 */
export class ResponseRelay implements BodyReceiver {
  /** Content bytes that the client was given. */
  bytes = 0;
  readonly #options: ResponseRelayOptions;
  readonly #timer: NodeJS.Timeout;
  #over = false;

  constructor(options: ResponseRelayOptions) {
    this.#options = options;
    const { reading } = options;
    const time = reading.kind === 'events' ? reading.chunkTime : Math.max(1, reading.timeLeft);
    const what = reading.kind === 'events' ? 'nothing came for too long' : 'it took too long';
    this.#timer = setTimeout(() => this.#cut(what), time);
  }

  start(): void {
    const { source, sink } = this.#options;
    sink.onDrain = () => {
      if (this.#over) return;
      this.#moved();
      source.resume();
    };
    source.start(this);
  }

  /** The client has gone. */
  stop(reason: string): void {
    if (!this.#finish()) return;
    this.#options.abort(reason);
    this.#options.onEnd(reason);
  }

  data(bytes: Buffer): boolean {
    if (this.#over) return false;
    this.#moved();
    const { reading, maxBytes } = this.#options;
    if (this.bytes + bytes.length > maxBytes) {
      this.#cut(`it is longer than ${maxBytes} bytes`);
      return false;
    }
    if (reading.kind === 'events') return this.#write(reading.relay.push(bytes));
    reading.usage.push(bytes);
    return this.#write(bytes);
  }

  end(): void {
    if (!this.#finish()) return;
    const { reading, sink, onEnd } = this.#options;
    if (reading.kind === 'events') this.#write(reading.relay.end());
    sink.end(NO_TRAILERS);
    onEnd(undefined);
  }

  fail(reason: string): void {
    this.#cut(reason);
  }

  #write(bytes: Buffer): boolean {
    this.bytes += bytes.length;
    return bytes.length === 0 || this.#options.sink.write(bytes);
  }

  /** Silence counts from the last moment at which something moved, on either side. */
  #moved(): void {
    if (this.#options.reading.kind === 'events') this.#timer.refresh();
  }

  #cut(reason: string): void {
    if (!this.#finish()) return;
    const { reading, sink, abort, onEnd } = this.#options;
    if (reading.kind === 'events') {
      // Behind the beginning of an event only an empty line makes a new one.
      if (reading.relay.partial) this.#write(EMPTY_LINE);
      this.#write(errorEvent(reading.dialect, `The response of the backend was cut off: ${reason}.`));
      sink.end(NO_TRAILERS);
    } else sink.abort(reason);
    abort(reason);
    onEnd(reason);
  }

  /** False when it was over before. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    clearTimeout(this.#timer);
    return true;
  }
}

const NO_TRAILERS: readonly HeaderField[] = [];
const EMPTY_LINE = Buffer.from('\n\n');
