import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';

/** A connection that nothing travels on is closed after this time, in ms. */
const IDLE_TIME = 60_000;

export type SessionOptions = ClientSessionOptions | SecureClientSessionOptions;

/**
 * The HTTP/2 connection to a service: made with a request, made again when it is lost. In place of the library's own manager, which stops
 * listening for errors before the last of them has come: a service that talks nonsense must not end the proxy.
 */
export class ServiceSession implements Disposable {
  readonly authority: string;
  readonly #options: SessionOptions;
  #session: ClientHttp2Session | undefined;
  #active = 0;

  constructor(authority: string, options: SessionOptions) {
    this.authority = authority;
    this.#options = options;
  }

  async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    const session = this.#current();
    const stream = session.request({ ...headers, ':method': method, ':path': path });
    let answered = false;
    stream.once('response', () => {
      answered = true;
    });
    stream.once('close', () => this.#ended(session, answered));
    if (++this.#active === 1) session.ref();
    return stream;
  }

  notifyResponseByteRead(): void {
    // A connection that has died in silence is found out by the time that each request has.
  }

  [Symbol.dispose](): void {
    this.#session?.destroy();
  }

  #current(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(this.authority, this.#options);
    // For as long as it lives: what goes wrong is told to its streams.
    session.on('error', () => undefined);
    session.once('goaway', () => session.close());
    session.setTimeout(IDLE_TIME, () => session.close());
    this.#session = session;
    this.#active = 0;
    return session;
  }

  /** A request without any answer may mean that nobody is there any more: the next one tries anew. */
  #ended(session: ClientHttp2Session, answered: boolean): void {
    if (!answered) session.close();
    if (session === this.#session && --this.#active === 0) session.unref();
  }
}
