import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { messageOf } from '@openshell/base';
import type { UpstreamFailure } from '../exchange/exchange.ts';
import type { Limits } from '../limits.ts';
import type { AlpnProtocol } from './intercept.ts';
import type { SessionCache } from './session-cache.ts';
import type { UpstreamTrust } from './trust.ts';
import { explainUpstreamError, lateRefusal } from './upstream-errors.ts';

export interface SecureUpstreamOptions {
  /** Connected; nobody reads from it. */
  readonly socket: Socket;
  /** Canonical; whose certificate it has to be. */
  readonly host: string;
  readonly port: number;
  /** Offered, the preferred first. */
  readonly alpn: readonly AlpnProtocol[];
  readonly trust: UpstreamTrust;
  readonly sessions: SessionCache;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

export type SecureUpstreamResult =
  | { readonly kind: 'secured'; readonly socket: TLSSocket; readonly protocol: 'h1' | 'h2' }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

/**
 * Takes the client's side of TLS on a connection to an upstream and verifies who it is. Never throws; after a failure
 * the socket is destroyed.
 */
export function secureUpstream(options: SecureUpstreamOptions): Promise<SecureUpstreamResult> {
  const { socket: raw, host, port, alpn, trust, sessions, limits, signal } = options;
  const { promise, resolve } = Promise.withResolvers<SecureUpstreamResult>();
  const key = `${host} ${port} ${alpn.join()}`;
  let secureContext: SecureContext;
  try {
    secureContext = trust.contextFor(host);
  } catch (cause) {
    raw.destroy();
    const detail = `the authorities that are trusted cannot be read: ${messageOf(cause)}`;
    return Promise.resolve({ kind: 'failed', failure: { code: 'upstream_untrusted', detail, retry: false } });
  }
  const session = sessions.find(key);
  const socket = connect({
    socket: raw,
    // An address is no server name (RFC 6066 section 3); its certificate is then compared with the address.
    host,
    ...(isIP(host) === 0 && { servername: host }),
    secureContext,
    ALPNProtocols: [...alpn],
    ...(session !== undefined && { session }),
  });

  let settled = false;
  const settle = (result: SecureUpstreamResult): void => {
    settled = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.off('close', onClose);
    resolve(result);
  };
  const fail = (failure: Omit<UpstreamFailure, 'retry'>): void => {
    settle({ kind: 'failed', failure: { ...failure, retry: false } });
    socket.destroy();
    raw.destroy();
  };
  const onAbort = (): void => fail({ code: 'upstream_unreachable', detail: messageOf(signal.reason) });
  const onClose = (): void =>
    fail({ code: 'upstream_unreachable', detail: `${host} closed the connection in the TLS handshake` });
  const timer = setTimeout(
    () =>
      fail({ code: 'upstream_timeout', detail: `no TLS handshake with ${host} within ${limits.tlsTime} ms` }),
    limits.tlsTime,
  );

  socket.on('session', (fresh: Buffer) => sessions.store(key, fresh));
  // Stays for the whole life of the socket: who uses it learns of an error by 'close' at the latest.
  socket.on('error', (error) => {
    if (settled) socket.destroy(lateRefusal(error, host));
    else fail(explainUpstreamError(error, host));
  });
  socket.once('close', onClose);
  socket.once('secureConnect', () => {
    const agreed = socket.alpnProtocol;
    if (agreed !== 'h2' && alpn.includes('h2') && !alpn.includes('http/1.1')) {
      fail({ code: 'upstream_protocol', detail: `${host} does not speak HTTP/2` });
    } else {
      settle({ kind: 'secured', socket, protocol: agreed === 'h2' ? 'h2' : 'h1' });
    }
  });
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  return promise;
}
