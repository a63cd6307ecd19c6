import type { Http2Stream } from 'node:http2';
import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import { Malformed } from '../http/malformed.ts';
import type { HeaderField } from '../http/request-head.ts';
import { errorName, PROTOCOL_ERROR } from './constants.ts';
import type { EndWatch } from './end-watch.ts';
import { type FieldRules, type RawFields, readTrailers } from './fields.ts';

export interface StreamSourceOptions {
  readonly stream: Http2Stream;
  readonly watch: EndWatch;
  /** As the head says it, 0 where there is none. */
  readonly length: number | undefined;
  readonly trailers: FieldRules;
  readonly onCancel: () => void;
}

/** The body that a peer sends on a stream. Checks that it is as long as was said (RFC 9113 section 8.1.1). */
export class StreamSource implements BodySource {
  readonly length: number | undefined;
  readonly #options: StreamSourceOptions;
  readonly #stream: Http2Stream;
  #receiver: BodyReceiver | undefined;
  #received = 0;
  #trailers: readonly HeaderField[] = [];
  #state: 'waiting' | 'flowing' | 'over' = 'waiting';
  /** Found before anybody listened. */
  #failure: string | undefined;

  constructor(options: StreamSourceOptions) {
    const { stream, watch, length } = options;
    this.#options = options;
    this.#stream = stream;
    this.length = length;
    stream.on('trailers', (_fields, _flags, raw) => this.#onTrailers(raw));
    stream.once('close', () => this.#onClose());
    // Nothing is in it, and unread it would never close.
    if (watch.complete && length === 0) stream.resume();
  }

  /** Whether anybody still waits for more of it. */
  get wanted(): boolean {
    return this.#state === 'flowing';
  }

  start(receiver: BodyReceiver): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'flowing';
    this.#receiver = receiver;
    if (this.#failure !== undefined) {
      this.#fail(this.#failure);
    } else if (this.#options.watch.complete && this.length === 0) {
      this.#stream.resume();
      this.#end();
    } else if (this.#stream.closed && this.#stream.destroyed) {
      this.#onClose();
    } else {
      this.#stream.on('end', () => this.#end());
      this.#stream.on('data', (bytes: Buffer) => this.#onData(bytes));
    }
  }

  resume(): void {
    if (this.#state === 'flowing') this.#stream.resume();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#stream.pause();
    this.#options.onCancel();
  }

  #onData(bytes: Buffer): void {
    if (this.#state !== 'flowing') return;
    this.#received += bytes.length;
    if (this.length !== undefined && this.#received > this.length)
      this.#refuse('the body is longer than its Content-Length');
    else if (!this.#receiver!.data(bytes) && this.#state === 'flowing') this.#stream.pause();
  }

  #onTrailers(raw: RawFields): void {
    try {
      this.#trailers = readTrailers(raw, this.#options.trailers);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#refuse(error.fault.detail);
    }
  }

  /** The connection may close behind a body that is complete and not yet read to its end: the rest, at most a window, is delivered now. */
  #onClose(): void {
    if (this.#state !== 'flowing') return;
    if (this.#options.watch.complete) {
      for (let bytes = this.#stream.read(); bytes !== null; bytes = this.#stream.read()) this.#onData(bytes);
    }
    this.#end();
  }

  #end(): void {
    if (this.#state !== 'flowing') return;
    if (!this.#options.watch.complete) {
      this.#fail(this.#cutOff());
    } else if (this.length !== undefined && this.#received < this.length) {
      this.#refuse('the body is shorter than its Content-Length');
    } else {
      this.#state = 'over';
      this.#receiver!.end(this.#trailers);
    }
  }

  #refuse(reason: string): void {
    this.#fail(reason);
    this.#stream.close(PROTOCOL_ERROR);
  }

  #fail(reason: string): void {
    if (this.#state === 'waiting') this.#failure ??= reason;
    if (this.#state !== 'flowing') return;
    this.#state = 'over';
    this.#receiver!.fail(reason);
  }

  #cutOff(): string {
    const { rstCode } = this.#stream;
    return rstCode === 0 || rstCode === undefined
      ? 'the stream was closed before the end of the body'
      : `the stream was reset (${errorName(rstCode)})`;
  }
}
