import type { Socket } from 'node:net';
import { ignoreError } from './linger.ts';

/** TLS sends its end through the handle of the socket that it runs over, and that socket does not know. */
const carriers = new WeakSet<Socket>();

/** TLS runs over this socket from now on. */
export const carriesTls = (socket: Socket): void => void carriers.add(socket);

/** What TLS connections that can be reset run over. */
const below = new WeakMap<Socket, Socket>();

/**
 * This TLS connection ends with `reset` by RST of the TCP connection below it. Only where it has all of that for itself, from the first byte, and its
 * other side knows what a reset means.
 */
export const runsOver = (tls: Socket, tcp: Socket): void => void below.set(tls, tcp);

/**
 * Ends a connection so that its peer learns that it is not complete: by RST, or inside TLS by an end without `close_notify`
 * (RFC 8446 section 6.1), because Node.js cannot reset below TLS. Always leads to 'close': where the end was already being sent,
 * or the connection is not there yet, libuv refuses to reset (uv_tcp_close_reset: EINVAL) and Node.js would leave the socket open
 * for ever, so it is closed plainly.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  socket.on('error', ignoreError);
  const inTls = 'encrypted' in socket || carriers.has(socket);
  const tcp = below.get(socket);
  if (tcp !== undefined) {
    // TLS follows what it runs over. In a turn of its own: where TLS itself has called us, Node.js goes on to use the handle that a reset
    // frees (it crashes).
    setImmediate(() => (isEnding(socket) || tcp.destroyed ? socket.destroy() : tcp.resetAndDestroy()));
  } else if (isEnding(socket) || socket.connecting || inTls) socket.destroy();
  else socket.resetAndDestroy();
}

const isEnding = ({ writableEnded, writableFinished }: Socket): boolean => writableEnded && !writableFinished;
