import type { Socket } from 'node:net';
import { ignoreError } from './linger.ts';

/**
 * Ends a connection so that its peer learns that it is not complete (RST). Always leads to 'close': where the end was already
 * being sent, or the connection is not there yet, libuv refuses to reset (uv_tcp_close_reset: EINVAL) and Node.js would leave
 * the socket open for ever, so it is closed plainly.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  socket.on('error', ignoreError);
  const ending = socket.writableEnded && !socket.writableFinished;
  if (ending || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
