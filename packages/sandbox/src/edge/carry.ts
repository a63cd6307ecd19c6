import type { Socket } from 'node:net';
import { abandon, ignoreError, type LinkConnection, resetSocket } from './dial.ts';

/**
 * Joins a program's connection with its stream to the proxy, until both are closed: each side's end is passed on alone, a reset as a reset, and
 * a side that cannot take more makes the other wait. How long silence may last is the proxy's to say.
 */
export function carry(client: Socket, link: LinkConnection): Promise<void> {
  const { socket } = link;
  pass(client, socket);
  pass(socket, client);
  const reset = { client: () => resetSocket(client), link: () => abandon(link) };
  return Promise.all([closing(client, reset.link), closing(socket, reset.client)]).then(() => {});
}

function pass(from: Socket, to: Socket): void {
  from.on('error', ignoreError);
  from.on('data', (bytes: Buffer) => {
    if (!to.write(bytes)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.resume();
}

/** Resolves when one side is closed. Where it did not end by itself, the other is reset. */
function closing(socket: Socket, resetOther: () => void): Promise<void> {
  return new Promise((resolve) => {
    const onClose = (): void => {
      if (!socket.readableEnded || socket.errored) resetOther();
      resolve();
    };
    if (socket.closed) onClose();
    else socket.once('close', onClose);
  });
}
