import type { Http2Stream } from 'node:http2';
import type { BodyLength, BodySink } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';
import { fieldsObject } from './fields.ts';

/** Whether a body, or trailers, may follow the head. A body of no bytes ends with the head, and its trailers are lost, as they may be. */
export const hasBody = (length: BodyLength): boolean =>
  length.kind === 'stream' || (length.kind === 'length' && length.length > 0);

/** What `Content-Length` says. */
export function contentLength(length: BodyLength): string[] {
  const value =
    length.kind === 'length' ? length.length : length.kind === 'none' ? length.declared : undefined;
  return value === undefined ? [] : ['content-length', `${value}`];
}

export interface StreamSinkOptions {
  /** Its head is sent, with `waitForTrailers` where a body follows, else with `endStream`. Undefined: whatever comes is dropped. */
  readonly stream: Http2Stream | undefined;
  readonly length: BodyLength;
  /** The whole message has been given to nghttp2. */
  readonly onSent?: () => void;
  readonly onAbort: (reason: string) => void;
}

/** A body that goes out on a stream. */
export class StreamSink implements BodySink {
  onDrain: () => void = () => {};
  readonly #stream: Http2Stream | undefined;
  readonly #onAbort: (reason: string) => void;
  /** Bytes that may still come; undefined: any number. */
  #left: number | undefined;
  #state: 'open' | 'ended' | 'over' = 'open';
  #trailers: readonly HeaderField[] = [];

  constructor({ stream, length, onSent = () => {}, onAbort }: StreamSinkOptions) {
    this.#onAbort = onAbort;
    this.#left = length.kind === 'length' ? length.length : undefined;
    this.#stream = hasBody(length) ? stream : undefined;
    if (stream === undefined) this.#state = 'over';
    else if (!hasBody(length)) setImmediate(onSent);
    this.#stream?.on('drain', () => {
      if (this.#state === 'open') this.onDrain();
    });
    this.#stream?.once('wantTrailers', () => {
      this.#stream?.sendTrailers(fieldsObject({}, this.#trailers) as Record<string, string[]>);
      // Node.js sends them in an immediate too, which comes before this one.
      setImmediate(onSent);
    });
  }

  write(bytes: Buffer): boolean {
    const stream = this.#stream;
    if (this.#state !== 'open' || stream === undefined || bytes.length === 0 || gone(stream)) return true;
    if (this.#left !== undefined) {
      this.#left -= bytes.length;
      if (this.#left < 0) {
        this.abort('the body is longer than was said');
        return true;
      }
    }
    // Copied: the bytes are the caller's again when this returns, and the peer's window may not let them go yet.
    return stream.write(Buffer.from(bytes));
  }

  end(trailers: readonly HeaderField[]): void {
    if (this.#state !== 'open') return;
    const stream = this.#stream;
    if (stream !== undefined && this.#left !== undefined && this.#left > 0) {
      this.abort('the body is shorter than was said');
      return;
    }
    this.#state = 'ended';
    if (stream === undefined || gone(stream)) return;
    this.#trailers = trailers;
    stream.end();
  }

  abort(reason: string): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#onAbort(reason);
  }
}

const gone = (stream: Http2Stream): boolean => stream.destroyed || stream.closed || stream.writableEnded;
