import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { messageOf, OpenShellError } from '@openshell/base';
import { LINK_VERSIONS } from '@openshell/control/link';
import { EDGE_LIMITS } from './limits.ts';

export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
}

export interface LinkIdentity {
  /** Who signs the proxy's certificate, PEM. */
  readonly caPem: string;
  /** What this node shows, PEM. */
  readonly certPem: string;
  readonly keyPem: string;
}

/** A TLS connection with the proxy, for one use. */
export interface LinkConnection {
  /** Half-open is allowed; paused until somebody reads. */
  readonly socket: TLSSocket;
  /** What TLS runs over: a reset goes below it. */
  readonly carrier: Socket;
}

const KEEP_ALIVE_MS = 30_000;

export const ignoreError = (): void => {};

export const shown = ({ host, port }: ProxyAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * Ends a connection so that the proxy does not take what it has for all; TLS follows what it runs over. In a turn of its own: where TLS itself has
 * called us, Node.js goes on to use the handle that a reset frees (it crashes).
 */
export const abandon = ({ socket, carrier }: LinkConnection): void => {
  setImmediate(() => {
    if (isEnding(socket)) socket.destroy();
    else resetSocket(carrier);
  });
};

/** Ends a TCP connection by RST; plainly where its end is on its way already, which libuv refuses to reset. */
export const resetSocket = (socket: Socket): void => {
  if (socket.destroyed) return;
  if (socket.connecting || isEnding(socket)) socket.destroy();
  else socket.resetAndDestroy();
};

const isEnding = ({ writableEnded, writableFinished }: Socket): boolean => writableEnded && !writableFinished;

/** Makes connections with one proxy. The proxy proves who it is, and so do we, each time; the keys are agreed anew less often. */
export class Dialer {
  readonly address: ProxyAddress;
  readonly #context: SecureContext;
  #session: Buffer | undefined;
  #dialling = 0;
  readonly #queue: (() => void)[] = [];

  /** @throws OpenShellError `link_certificate`: certificate, key or authority cannot be used. */
  constructor(address: ProxyAddress, { caPem, certPem, keyPem }: LinkIdentity) {
    this.address = address;
    try {
      this.#context = createSecureContext({ ca: caPem, cert: certPem, key: keyPem, minVersion: 'TLSv1.3' });
    } catch {
      // The cause is left out on purpose: it may be about the text of a key.
      throw new OpenShellError('the certificate, the key or the authority for the proxy cannot be used', {
        code: 'link_certificate',
        remedy: 'Give PEM files: --proxy-ca, --proxy-cert and its unencrypted --proxy-key.',
      });
    }
  }

  /**
   * A new connection, ready to be written to. Waits its turn where many are being made.
   * @throws OpenShellError `link_unreachable` (it may be there later), `link_untrusted`, `link_unsupported`.
   */
  async dial(): Promise<LinkConnection> {
    if (this.#dialling >= EDGE_LIMITS.dials) await new Promise<void>((go) => this.#queue.push(go));
    this.#dialling += 1;
    try {
      return await this.#connect();
    } finally {
      this.#dialling -= 1;
      this.#queue.shift()?.();
    }
  }

  #connect(): Promise<LinkConnection> {
    const { host, port } = this.address;
    const { promise, resolve, reject } = Promise.withResolvers<LinkConnection>();
    const carrier = connectTcp({
      ...{ host, port, noDelay: true, allowHalfOpen: true },
      ...{ keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    });
    const socket = connectTls({
      ...{ socket: carrier, host, secureContext: this.#context, allowHalfOpen: true },
      ...(isIP(host) === 0 && { servername: host }),
      ...(this.#session && { session: this.#session }),
      ALPNProtocols: [...LINK_VERSIONS],
    });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer within ${EDGE_LIMITS.dialTime} ms`)),
      EDGE_LIMITS.dialTime,
    );
    let failure: Error | undefined;
    const onError = (error: Error): void => {
      failure ??= error;
    };
    carrier.on('error', onError);
    socket.on('error', onError);
    socket.on('session', (session: Buffer) => {
      this.#session = session;
    });
    const onClose = (): void => {
      clearTimeout(timer);
      this.#session = undefined;
      reject(this.#explain(failure));
    };
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('close', onClose);
      if (socket.alpnProtocol !== false) {
        resolve({ socket, carrier });
        return;
      }
      socket.destroy();
      reject(
        new OpenShellError(`what answers at ${shown(this.address)} is no openshell-proxy with a link`, {
          code: 'link_unsupported',
          remedy: "Give the address of the proxy's --link.",
        }),
      );
    });
    return promise;
  }

  #explain(failure: (Error & { readonly code?: string }) | undefined): OpenShellError {
    const where = shown(this.address);
    const code = failure?.code ?? '';
    if (UNTRUSTED.test(code)) {
      const why = `the proxy at ${where} does not show a certificate that --proxy-ca signed for it: ${messageOf(failure)}`;
      return new OpenShellError(why, {
        code: 'link_untrusted',
        remedy: `Check --proxy-ca, and that the proxy's certificate names ${this.address.host}.`,
        cause: failure,
      });
    }
    if (/ALERT/.test(code)) {
      return new OpenShellError(`the proxy at ${where} does not accept this node's certificate or version`, {
        code: 'link_unreachable',
        remedy: "Check that --proxy-cert is signed by the proxy's --link-client-ca and has not expired.",
        cause: failure,
      });
    }
    const reason = failure === undefined ? 'it closed the connection' : messageOf(failure);
    return new OpenShellError(`the proxy at ${where} cannot be reached: ${reason}`, {
      code: 'link_unreachable',
      remedy: 'Check the address, and that openshell-proxy runs there with --link.',
      cause: failure,
    });
  }
}

/** Node.js passes on what OpenSSL's verification says (X509_V_ERR), besides its own check of the name. */
const UNTRUSTED =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;
