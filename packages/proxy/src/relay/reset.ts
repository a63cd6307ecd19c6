import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ignoreError } from './linger.ts';

/**
 * Ends a connection so that its peer learns that it is not complete: by RST, or inside TLS by an end without `close_notify`
 * (RFC 8446 section 6.1), because Node.js cannot reset below TLS. Always leads to 'close': where the end was already being sent,
 * or the connection is not there yet, libuv refuses to reset (uv_tcp_close_reset: EINVAL) and Node.js would leave the socket open
 * for ever, so it is closed plainly.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  socket.on('error', ignoreError);
  const ending = socket.writableEnded && !socket.writableFinished;
  if (ending || socket.connecting || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
