import type { Socket } from 'node:net';
import { ignoreError } from './linger.ts';

/** TLS sends its end through the handle of the socket that it runs over, and that socket does not know. */
const carriers = new WeakSet<Socket>();

/** TLS runs over this socket from now on. */
export const carriesTls = (socket: Socket): void => void carriers.add(socket);

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
  const ending = socket.writableEnded && !socket.writableFinished;
  if (ending || socket.connecting || inTls) socket.destroy();
  else socket.resetAndDestroy();
}
