import { type ClientHttp2Session, connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { BodyLength, BodySink } from '../exchange/body.ts';
import type { OutgoingRequest, UpstreamConnection, UpstreamListener } from '../exchange/exchange.ts';
import { type Peer, peerOf } from '../exchange/peer.ts';
import type { Limits } from '../limits.ts';
import { ignoreError } from '../relay/linger.ts';
import { LateRefusal } from '../tls/upstream-errors.ts';
import { ClientStreamExchange } from './client-exchange.ts';
import { rawFields } from './fields.ts';
import { clientOptions } from './session-options.ts';
import { contentLength, hasBody, StreamSink } from './stream-sink.ts';

export interface Http2UpstreamOptions {
  /** Connected: a TLS socket on which `h2` was agreed, or a plain one to a server that is known to speak HTTP/2. */
  readonly socket: Duplex;
  readonly limits: Limits;
}

/**
 * A connection to an origin that speaks HTTP/2. `onChange` is called when an exchange has ended, the origin changes how many it takes
 * or goes away, and when the connection has closed; not within `start`.
 */
export class Http2Upstream implements UpstreamConnection {
  readonly protocol = 'h2';
  onChange: () => void = () => {};
  readonly #socket: Duplex;
  readonly #limits: Limits;
  readonly #session: ClientHttp2Session;
  #open = 0;
  /** An exchange has ended well: the connection worked. */
  #used = false;
  #atOnce: number;
  /** The last stream that the origin will look at, once it has said so (RFC 9113 section 6.8). */
  #lastStream: number | undefined;
  #closed = false;
  #pings: NodeJS.Timeout | undefined;
  #pong: NodeJS.Timeout | undefined;

  constructor({ socket, limits }: Http2UpstreamOptions) {
    this.#socket = socket;
    this.#limits = limits;
    this.#atOnce = limits.http2Streams;
    // The name is never sent: every request brings its own authority.
    const session = connect('http://origin.invalid', {
      ...clientOptions(limits),
      createConnection: () => socket,
    });
    this.#session = session;
    // A paused socket would stay so. Later than the session takes what is held in the socket, which would be thrown away.
    process.nextTick(() => socket.resume());
    session.on('error', ignoreError);
    // Where half-open sockets are allowed nobody else takes this for the end.
    socket.once('end', () => this.destroy());
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(8 * limits.http2OriginWindow);
    });
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.#atOnce = Math.min(limits.http2Streams, maxConcurrentStreams ?? limits.http2Streams);
      this.onChange();
    });
    session.on('goaway', (_code, lastStream) => {
      this.#lastStream = lastStream;
      this.onChange();
    });
    session.once('close', () => this.#onClose());
    if (socket.closed) process.nextTick(() => this.#onClose());
    else socket.once('close', () => this.#onClose());
  }

  get peer(): Peer | undefined {
    return peerOf(this.#socket);
  }

  get available(): boolean {
    return !this.#leaving && this.#open < this.#atOnce;
  }

  get idle(): boolean {
    return this.#open === 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  start(request: OutgoingRequest, length: BodyLength, listener: UpstreamListener): BodySink {
    const raw = rawFields(ownFields(request, length), request.fields);
    if (raw === undefined || request.upgrade !== undefined) {
      const detail =
        raw === undefined ? 'a header field of the request cannot be sent' : 'HTTP/2 has no upgrade';
      process.nextTick(() => listener.failed({ code: 'upstream_protocol', detail, retry: false }));
      return new StreamSink({ stream: undefined, length, onAbort: () => {} });
    }
    const body = hasBody(length);
    const stream = this.#session.request(raw, { endStream: !body, waitForTrailers: body });
    const exchange = new ClientStreamExchange({
      stream,
      method: request.method,
      limits: this.#limits,
      listener,
      unprocessed: (id) => this.#lastStream !== undefined && id > this.#lastStream,
      refusal: () => (this.#socket.errored instanceof LateRefusal ? this.#socket.errored : undefined),
      used: this.#used,
    });
    this.#open++;
    this.#watchOver();
    stream.once('close', () => {
      this.#open--;
      this.#used ||= exchange.answered;
      this.#rest();
      this.onChange();
    });
    return new StreamSink({ stream, length, onAbort: () => exchange.abort() });
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  get #leaving(): boolean {
    return this.#closed || this.#session.closed || this.#session.destroyed || this.#lastStream !== undefined;
  }

  #rest(): void {
    if (this.#open > 0) return;
    clearInterval(this.#pings);
    clearTimeout(this.#pong);
    this.#pings = undefined;
    // Nothing is to come any more: the origin is not waited for.
    if (this.#leaving) this.destroy();
  }

  /** While an answer is waited for, an origin that is silent is asked now and then whether it is still there. */
  #watchOver(): void {
    const { http2PingInterval, http2PingTime } = this.#limits;
    this.#pings ??= setInterval(() => {
      if (this.#leaving) return;
      clearTimeout(this.#pong);
      this.#pong = setTimeout(() => this.destroy(), http2PingTime);
      this.#session.ping(() => clearTimeout(this.#pong));
    }, http2PingInterval);
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pings);
    clearTimeout(this.#pong);
    this.onChange();
  }
}

/** What the connection adds to a request. */
function ownFields(
  { method, scheme, authority, target, fields, expectsContinue }: OutgoingRequest,
  length: BodyLength,
): string[] {
  const own = [':method', method, ':scheme', scheme, ':authority', authority, ':path', target];
  own.push(...contentLength(length));
  if (expectsContinue) own.push('expect', '100-continue');
  // gRPC servers refuse who does not say that trailers arrive; they do, on both sides.
  const grpc = fields.some(
    ({ lowerName, value }) =>
      lowerName === 'content-type' && value.toLowerCase().startsWith('application/grpc'),
  );
  if (grpc) own.push('te', 'trailers');
  return own;
}
