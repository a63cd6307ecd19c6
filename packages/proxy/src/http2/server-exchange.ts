import type { ServerHttp2Stream } from 'node:http2';
import { OpenShellError } from '@openshell/base';
import type { BodyLength, BodySink } from '../exchange/body.ts';
import type { ClientExchange, RequestMessage, ResponseHead, UpgradedStream } from '../exchange/exchange.ts';
import type { Limits } from '../limits.ts';
import { errorName, INTERNAL_ERROR, NO_ERROR } from './constants.ts';
import { EndWatch } from './end-watch.ts';
import { fieldsObject, rawFields } from './fields.ts';
import { contentLength, hasBody, StreamSink } from './stream-sink.ts';
import { StreamSource } from './stream-source.ts';

export interface ServerExchangeOptions {
  readonly stream: ServerHttp2Stream;
  readonly request: RequestMessage;
  /** Of the body; undefined where only its end tells. */
  readonly length: number | undefined;
  readonly limits: Limits;
}

/** One stream of a client. */
export class ServerExchange implements ClientExchange {
  readonly request: RequestMessage;
  readonly body: StreamSource;
  onAbort: (reason: string) => void = () => {};
  readonly #stream: ServerHttp2Stream;
  readonly #watch: EndWatch;
  #asked = false;
  #answer: 'none' | 'begun' | 'complete' | 'aborted' = 'none';

  constructor({ stream, request, length, limits }: ServerExchangeOptions) {
    this.request = request;
    this.#stream = stream;
    // The end may have come together with the head, before anybody could watch.
    this.#watch = new EndWatch({
      stream,
      complete: length === 0 || stream.state.remoteClose === 1,
      resetEnds: false,
    });
    this.body = new StreamSource({
      stream,
      watch: this.#watch,
      length,
      trailers: { bytes: limits.trailerBytes, fields: limits.headFields, outerSpace: 'refuse' },
      onCancel: () => {
        if (this.#answer === 'complete') this.#release();
      },
    });
    stream.once('close', () => this.#onClose());
  }

  continue(): void {
    if (!this.request.expectsContinue || this.#asked) return;
    this.#asked = true;
    this.interim({ status: 100, fields: [] });
  }

  interim({ status, fields }: ResponseHead): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || this.#answer !== 'none') return;
    stream.additionalHeaders(fieldsObject({ ':status': status }, fields));
  }

  respond(head: ResponseHead, length: BodyLength): BodySink {
    if (this.#answer !== 'none')
      throw new OpenShellError('a request is answered twice', { code: 'answered-twice' });
    const stream = this.#stream;
    const effective = this.#effectiveLength(head.status, length);
    const declared = head.status === 204 ? [] : contentLength(effective);
    const raw = rawFields([':status', `${head.status}`, ...declared], head.fields);
    if (raw === undefined || stream.destroyed || stream.closed) {
      if (raw === undefined) this.abort('a field of the answer cannot be sent');
      return new StreamSink({ stream: undefined, length: effective, onAbort: () => {} });
    }
    const body = hasBody(effective);
    this.#answer = 'begun';
    const options = { endStream: !body, waitForTrailers: body, sendDate: false };
    stream.respond(raw, options);
    return new StreamSink({
      stream,
      length: effective,
      onSent: () => {
        this.#answer = 'complete';
        if (!this.body.wanted) this.#release();
      },
      onAbort: (reason) => this.abort(reason),
    });
  }

  /** HTTP/2 has no upgrade, and `request.upgrade` is never set. */
  upgrade(): UpgradedStream {
    throw new OpenShellError('HTTP/2 has no upgrade', { code: 'no-upgrade' });
  }

  abort(_reason: string): void {
    if (this.#answer === 'aborted') return;
    this.#answer = 'aborted';
    this.#stream.close(INTERNAL_ERROR);
  }

  /** What may follow a head (RFC 9110 section 6.4.1), whatever the caller thinks. */
  #effectiveLength(status: number, length: BodyLength): BodyLength {
    const forbidden = this.request.method === 'HEAD' || status === 204 || status === 205 || status === 304;
    if (!forbidden || length.kind === 'none') return length;
    return length.kind === 'length' && status !== 205
      ? { kind: 'none', declared: length.length }
      : { kind: 'none' };
  }

  /**
   * Lets go of a stream whose answer is complete. A client that is still sending is told to stop, without blame (RFC 9113 section 8.1);
   * what has come and nobody reads is dropped, because Node.js keeps a stream until it is read to its end.
   */
  #release(): void {
    if (this.#stream.destroyed) return;
    if (!this.#watch.complete) this.#stream.close(NO_ERROR);
    this.#stream.resume();
  }

  #onClose(): void {
    const complete = this.#answer === 'complete' || this.#answer === 'aborted';
    // The last frame may be on its way before `onSent` is called.
    const ended =
      this.#answer === 'begun' && this.#stream.writableFinished && this.#stream.rstCode === NO_ERROR;
    if (complete || ended) return;
    this.#answer = 'aborted';
    this.onAbort(`the client has reset the stream (${errorName(this.#stream.rstCode ?? NO_ERROR)})`);
  }
}
