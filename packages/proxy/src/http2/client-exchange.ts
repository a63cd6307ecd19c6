import type { ClientHttp2Stream } from 'node:http2';
import type { UpstreamFailure, UpstreamListener } from '../exchange/exchange.ts';
import { Malformed } from '../http/malformed.ts';
import type { Limits } from '../limits.ts';
import type { LateRefusal } from '../tls/upstream-errors.ts';
import { CANCEL, END_STREAM, errorName, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM } from './constants.ts';
import { EndWatch } from './end-watch.ts';
import type { RawFields } from './fields.ts';
import { readInterim, readResponse } from './response-fields.ts';
import { StreamSource } from './stream-source.ts';

export interface ClientStreamExchangeOptions {
  readonly stream: ClientHttp2Stream;
  readonly method: string;
  readonly limits: Limits;
  readonly listener: UpstreamListener;
  /** Whether the origin has said that it will not look at this stream. */
  readonly unprocessed: (streamId: number) => boolean;
  /** What the connection has ended with, where the origin has refused it as a whole. */
  readonly refusal: () => LateRefusal | undefined;
  /** Another exchange has ended well on this connection. */
  readonly used: boolean;
}

/** RFC 9110 section 9.2.2: sent twice, they do what they do sent once. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** One stream to an origin: its events, understood, go to the listener. */
export class ClientStreamExchange {
  readonly #options: ClientStreamExchangeOptions;
  readonly #stream: ClientHttp2Stream;
  readonly #watch: EndWatch;
  #interims = 0;
  /** It was the connection that failed. */
  #cut = false;
  /** 'done': the listener is not called any more; what fails now is the body's affair. */
  #state: 'waiting' | 'answered' | 'done' = 'waiting';

  constructor(options: ClientStreamExchangeOptions) {
    const { stream } = options;
    this.#options = options;
    this.#stream = stream;
    this.#watch = new EndWatch({ stream, complete: false, resetEnds: true });
    // 'close' follows, and says the rest.
    stream.on('error', ({ syscall }: NodeJS.ErrnoException) => {
      this.#cut = syscall !== undefined;
    });
    stream.on('headers', (_fields, _flags, raw) => this.#onInterim(raw));
    stream.on('response', (_fields, flags, raw) => this.#onResponse(raw, flags));
    stream.once('close', () => this.#onClose());
  }

  /** A response has come. */
  get answered(): boolean {
    return this.#state === 'answered';
  }

  /** Nobody wants it any more; the listener is not called again. */
  abort(): void {
    if (this.#state === 'waiting') this.#state = 'done';
    this.#stream.close(CANCEL);
  }

  #onInterim(raw: RawFields): void {
    const { listener, limits } = this.#options;
    const head = this.#understood(() => {
      if (++this.#interims > limits.interimResponses) throw new Malformed('too many informational responses');
      return readInterim(raw, limits);
    });
    if (head === undefined) return;
    if (head.status === 100) listener.continue();
    else listener.interim(head);
  }

  #onResponse(raw: RawFields, flags: number): void {
    const { method, limits, listener } = this.#options;
    const ended = (flags & END_STREAM) !== 0;
    const response = this.#understood(() => readResponse(raw, { method, ended, limits }));
    if (response === undefined) return;
    this.#state = 'answered';
    const body = new StreamSource({
      stream: this.#stream,
      watch: this.#watch,
      length: response.length,
      trailers: { bytes: limits.trailerBytes, fields: limits.headFields, outerSpace: 'strip' },
      onCancel: () => this.#stream.close(CANCEL),
    });
    listener.response(response.head, body);
  }

  /** What a reader understands, where it is still waited for; what it does not understand fails the exchange. */
  #understood<Head>(read: () => Head): Head | undefined {
    if (this.#state !== 'waiting') return undefined;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#fail({
        code: 'upstream_protocol',
        detail: `the origin sent ${error.fault.detail}`,
        retry: false,
      });
      this.#stream.close(PROTOCOL_ERROR);
      return undefined;
    }
  }

  #onClose(): void {
    if (this.#state === 'waiting') this.#fail(this.#failureOfClosed());
  }

  #failureOfClosed(): UpstreamFailure {
    const { unprocessed, used, method } = this.#options;
    const { id, rstCode = NO_ERROR } = this.#stream;
    const refusal = this.#options.refusal();
    if (refusal !== undefined) return { ...refusal.explained, retry: false };
    if (id === undefined || rstCode === REFUSED_STREAM || unprocessed(id)) {
      const detail = 'the origin takes no more requests on this connection';
      return { code: 'upstream_unreachable', detail, retry: true };
    }
    if (this.#cut || rstCode === NO_ERROR || rstCode === CANCEL) {
      // It may have been processed: only what does no harm twice may be sent again (RFC 9113 section 8.7).
      const detail = 'the connection was closed before a response';
      return { code: 'upstream_unreachable', detail, retry: used && IDEMPOTENT.has(method) };
    }
    const detail = `the stream ended without a proper response (${errorName(rstCode)})`;
    return { code: 'upstream_protocol', detail, retry: false };
  }

  #fail(failure: UpstreamFailure): void {
    this.#state = 'done';
    this.#options.listener.failed(failure);
  }
}
