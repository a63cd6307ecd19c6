import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { OpenShellError } from '@openshell/base';
import type { ClientExchange, RequestMessage } from '../exchange/exchange.ts';
import { FAULT_NAMES, type HttpFault } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import { ignoreError } from '../relay/linger.ts';
import { END_STREAM, ENHANCE_YOUR_CALM, NO_ERROR } from './constants.ts';
import type { RawFields } from './fields.ts';
import { readRequest } from './request-fields.ts';
import { ResetBudget } from './reset-budget.ts';
import { ServerExchange } from './server-exchange.ts';
import { serverOptions } from './session-options.ts';

export interface Http2DownstreamOptions {
  /** A TLS socket on which `h2` was agreed, or a plain one whose client speaks HTTP/2 from the first byte (RFC 9113 section 3.3). */
  readonly socket: Duplex;
  /** What had been read from it already. */
  readonly initial?: Buffer | undefined;
  /** What `:scheme` has to be. */
  readonly scheme: 'http' | 'https';
  readonly limits: Limits;
  /** A request that kept the rules of RFC 9113 section 8. Called with the head; the body follows. */
  readonly onExchange: (exchange: ClientExchange) => void;
  /** Aborted: the connection is destroyed. */
  readonly signal?: AbortSignal | undefined;
}

/** A connection of a client. */
export interface Http2Downstream {
  /** Streams that are not closed. */
  readonly open: number;
  /** Settles when the socket is closed. Never rejects. */
  readonly done: Promise<void>;
  /** Takes no new streams (GOAWAY) and closes after those that are open. */
  close(): void;
  /** The proxy stops: as `close`, but a client that has asked nothing yet has its first request served. */
  drain(): void;
  /** Closes at once; open exchanges are aborted. */
  destroy(): void;
}

/** Serves a client that speaks HTTP/2. A malformed request is answered here and never becomes an exchange. */
export const serveHttp2 = (options: Http2DownstreamOptions): Http2Downstream => new ServerConnection(options);

class ServerConnection implements Http2Downstream {
  readonly done: Promise<void>;
  readonly #options: Http2DownstreamOptions;
  readonly #session: ServerHttp2Session;
  /** Runs out while no stream is open. */
  #timer: NodeJS.Timeout;
  #open = 0;
  /** A stream was opened. */
  #served = false;
  #draining = false;
  #faults = 0;
  readonly #resets: ResetBudget;

  constructor(options: Http2DownstreamOptions) {
    const { socket, initial, limits, signal } = options;
    this.#options = options;
    this.#resets = new ResetBudget(limits, performance.now());
    if (initial !== undefined && initial.length > 0) socket.unshift(initial);
    this.done = new Promise((resolve) => {
      if (socket.closed) resolve();
      else socket.once('close', resolve);
    });
    this.#timer = setTimeout(() => this.#onTimer(), limits.http2IdleTime);
    this.#session = performServerHandshake(socket, serverOptions(limits));
    // A paused socket would stay so. Later than the session takes what is held in the socket, which would be thrown away.
    process.nextTick(() => socket.resume());
    this.#session.setLocalWindowSize(4 * limits.http2ClientWindow);
    this.#session.on('error', ignoreError);
    // Where half-open sockets are allowed nobody else takes this for the end; half a connection is no use in HTTP/2.
    socket.once('end', () => this.destroy());
    this.#session.on('stream', (stream, _fields, flags, raw) => this.#onStream(stream, flags, raw));
    const abort = (): void => this.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) this.destroy();
    void this.done.then(() => {
      clearTimeout(this.#timer);
      signal?.removeEventListener('abort', abort);
    });
  }

  get open(): number {
    return this.#open;
  }

  close(): void {
    this.#session.close();
    this.#rest();
  }

  drain(): void {
    this.#draining = true;
    if (this.#served) this.close();
  }

  destroy(): void {
    // Not now: the session takes what the socket had read already a tick after it is made, and fails where it is gone by then.
    process.nextTick(() => {
      this.#session.destroy();
      this.#options.socket.destroy();
    });
  }

  #onStream(stream: ServerHttp2Stream, flags: number, raw: RawFields): void {
    stream.on('error', ignoreError);
    // Reset in the same read as it was opened, or opened behind the end: nobody waits for it.
    if (stream.destroyed || stream.closed || this.#session.destroyed) return;
    this.#open++;
    clearTimeout(this.#timer);
    // Not now: what the client has sent along with its first request is served with it.
    if (this.#draining && !this.#served) setImmediate(() => this.close());
    this.#served = true;
    stream.once('close', () => {
      this.#open--;
      if (stream.rstCode !== NO_ERROR && !this.#resets.spend(performance.now()))
        this.#calm('too many resets');
      this.#rest();
    });
    const { scheme, limits, onExchange } = this.#options;
    const result = readRequest(raw, { scheme, limits, ended: (flags & END_STREAM) !== 0 });
    if (result.kind === 'fault') this.#refuse(stream, raw, result.fault);
    else onExchange(new ServerExchange({ stream, limits, request: result.request, length: result.length }));
  }

  /** A client that goes on and on with malformed requests makes work for nothing. */
  #refuse(stream: ServerHttp2Stream, raw: RawFields, { status, detail }: HttpFault): void {
    const { limits, scheme } = this.#options;
    if (++this.#faults > limits.http2Faults) {
      this.#calm('too many malformed requests');
      return;
    }
    const request: RequestMessage = {
      // Of the malformed request only this is looked at: whether a body may follow the answer.
      method: raw[raw.indexOf(':method') + 1] === 'HEAD' ? 'HEAD' : 'GET',
      target: '/',
      scheme,
      authority: undefined,
      version: '2',
      fields: [],
      expectsContinue: false,
      upgrade: undefined,
    };
    const exchange = new ServerExchange({ stream, limits, request, length: undefined });
    const content = Buffer.from(`${JSON.stringify({ error: FAULT_NAMES[status], detail })}\n`);
    const type = { name: 'content-type', lowerName: 'content-type', value: 'application/json' };
    const sink = exchange.respond({ status, fields: [type] }, { kind: 'length', length: content.length });
    sink.write(content);
    sink.end([]);
  }

  #calm(message: string): void {
    this.#session.destroy(new OpenShellError(message, { code: 'enhance-your-calm' }), ENHANCE_YOUR_CALM);
  }

  /** No stream is open: after a while the connection is closed, and where it is closing, its socket soon. */
  #rest(): void {
    if (this.#open > 0 || this.#options.socket.closed) return;
    const { http2IdleTime, lingerTime } = this.#options.limits;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onTimer(), this.#closing ? lingerTime : http2IdleTime);
  }

  #onTimer(): void {
    if (this.#closing) this.destroy();
    else this.close();
  }

  get #closing(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }
}
