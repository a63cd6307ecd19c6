import type { Socket } from 'node:net';
import type { Limits } from '../limits.ts';

/**
 * Sends the last bytes of a connection and closes it so that the client can read them. Closing a socket with unread
 * input makes the kernel send RST, which destroys what the peer has not read yet (RFC 9112 section 9.6): so the input
 * is read and dropped until the client closes too, or a bound is met. Resolves when the socket is closed.
 */
export function endGently(socket: Socket, bytes: Buffer, limits: Limits): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (socket.destroyed) return Promise.resolve();
  let dropped = 0;
  const timer = setTimeout(() => socket.destroy(), limits.lingerTime);
  socket.once('close', () => {
    clearTimeout(timer);
    resolve();
  });
  socket.on('error', ignoreError);
  socket.on('data', (chunk) => {
    dropped += chunk.length;
    if (dropped > limits.lingerBytes) socket.destroy();
  });
  socket.end(bytes);
  socket.resume();
  return promise;
}

/** For a socket that is on its way out: its 'close' event is what counts. */
export const ignoreError = (): void => {};
