import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { messageOf, OpenShellError } from '@openshell/base';
import { canonicalHost } from '@openshell/policy';
import type { Limits } from '../limits.ts';
import { endGently } from '../relay/linger.ts';
import { carriesTls } from '../relay/reset.ts';
import { INTERNAL_ERROR_ALERT } from './alert.ts';
import type { LeafCache } from './leaf-cache.ts';

/** Names of protocols inside TLS (RFC 7301); that of PostgreSQL is in section 55.2 of its manual. */
export type AlpnProtocol = 'h2' | 'http/1.1' | 'postgresql';

export interface InterceptOptions {
  /** Accepted and paused; nobody else reads from it any more. */
  readonly socket: Socket;
  /** The beginning of the ClientHello at least, read before. */
  readonly initial?: Buffer | undefined;
  /** Canonical; what policy was asked about. */
  readonly host: string;
  readonly leaves: LeafCache;
  /** Offered, the preferred first. Empty where the inner protocol is not HTTP. */
  readonly alpn: readonly AlpnProtocol[];
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

export type InterceptResult =
  | {
      readonly kind: 'intercepted';
      /** Paused until somebody reads. Its 'error' is always followed by 'close'. */
      readonly socket: TLSSocket;
      /** What was agreed; `h1` also where the client asked for nothing. */
      readonly protocol: 'h1' | 'h2';
    }
  | {
      readonly kind: 'failed';
      /** `distrusted`: the client does not accept our certificate. `name_mismatch`: it asked for another host than the allowed one. */
      readonly code:
        | 'distrusted'
        | 'name_mismatch'
        | 'timeout'
        | 'closed'
        | 'handshake'
        | 'authority'
        | 'aborted';
      readonly detail: string;
      readonly remedy?: string;
    };

/**
 * Takes the server's side of a client's TLS connection, with a certificate for the allowed host that our authority signs.
 * The bytes go from the kernel to the TLS library without passing through a stream. Never throws; after a failure the socket is destroyed.
 */
export function intercept(options: InterceptOptions): Promise<InterceptResult> {
  return new Interception(options).result;
}

const failed = (
  code: Extract<InterceptResult, { kind: 'failed' }>['code'],
  detail: string,
  remedy?: string,
): InterceptResult => ({ kind: 'failed', code, detail, ...(remedy !== undefined && { remedy }) });

class Interception {
  readonly result: Promise<InterceptResult>;
  readonly #resolve: (result: InterceptResult) => void;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#fail(failed('aborted', messageOf(this.#signal.reason)));
  readonly #onClose = (): void =>
    this.#fail(failed('closed', 'the client closed the connection in the TLS handshake'));

  constructor(options: InterceptOptions) {
    const { promise, resolve } = Promise.withResolvers<InterceptResult>();
    this.result = promise;
    this.#resolve = resolve;
    this.#socket = options.socket;
    this.#host = options.host;
    this.#signal = options.signal;
    if (options.signal.aborted) this.#onAbort();
    else if (options.socket.destroyed || options.socket.readableEnded) this.#onClose();
    else this.#start(options);
  }

  #start({ socket, initial, host, leaves, alpn, limits, signal }: InterceptOptions): void {
    let tls: TLSSocket;
    try {
      const secureContext = leaves.contextFor(host);
      // What is in the socket's own buffer is what the TLS library is given first.
      if (initial !== undefined && initial.length > 0) socket.unshift(initial);
      socket.setNoDelay(true);
      tls = new TLSSocket(socket, {
        isServer: true,
        secureContext,
        ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
      });
    } catch (cause) {
      const remedy = cause instanceof OpenShellError ? cause.remedy : undefined;
      const result = failed('authority', messageOf(cause), remedy);
      void endGently(socket, INTERNAL_ERROR_ALERT, limits).then(() => this.#fail(result));
      return;
    }
    carriesTls(socket);
    const time = limits.tlsTime;
    this.#timer = setTimeout(() => this.#fail(failed('timeout', `no TLS handshake within ${time} ms`)), time);
    signal.addEventListener('abort', this.#onAbort);
    tls.once('close', this.#onClose).once('end', this.#onClose);
    // Node.js reports errors of a socket that no tls.Server made in this way, before and after the handshake, and
    // closes it itself only before.
    tls.on('_tlsError', (error: NodeJS.ErrnoException) => {
      this.#fail(explain(error));
      tls.destroy();
    });
    tls.once('secure', () => this.#secured(tls));
  }

  #secured(tls: TLSSocket): void {
    // Only a tls.Server's own listener takes this back; node:http2 waits for the handshake as long as it is set.
    Object.assign(tls, { secureConnecting: false });
    const { servername } = tls as { servername?: string | false | null };
    // The first bytes were compared before; a second hello (RFC 8446 section 4.1.4) could have said something else.
    if (typeof servername === 'string' && canonicalHost(servername) !== this.#host) {
      this.#fail(failed('name_mismatch', 'the TLS server name is not the host that was allowed'));
      return;
    }
    this.#settle();
    tls.off('close', this.#onClose).off('end', this.#onClose);
    this.#resolve({ kind: 'intercepted', socket: tls, protocol: tls.alpnProtocol === 'h2' ? 'h2' : 'h1' });
  }

  #fail(result: InterceptResult): void {
    this.#settle();
    this.#resolve(result);
    // In its own turn: an alert that says why may be on its way out.
    setImmediate(() => this.#socket.destroy());
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** Alerts with which clients say that they do not accept the certificate (RFC 8446 section 6.2). */
const DISTRUST =
  /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|CERTIFICATE_EXPIRED)/;

function explain(error: NodeJS.ErrnoException): InterceptResult {
  const code = error.code ?? '';
  if (DISTRUST.test(code)) {
    return failed(
      'distrusted',
      "the client does not trust the sandbox's certificate authority",
      'Let the program use the bundle that SSL_CERT_FILE names, or do not inspect this endpoint.',
    );
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return failed('closed', 'the client closed the connection in the TLS handshake');
  }
  return failed('handshake', `the TLS handshake failed: ${reasonOf(error)}`);
}

/** OpenSSL's own words for it, without its file and line. */
const reasonOf = (error: NodeJS.ErrnoException & { reason?: string }): string =>
  error.reason ?? error.code ?? error.message;
