import type { ChildProcess } from 'node:child_process';
import type { Channel } from './channel.ts';

type Wired = Pick<ChildProcess, 'send' | 'connected' | 'disconnect'> & NodeJS.EventEmitter;

/** To a worker, from the process that has started it. Ends when the worker's process has. */
export const channelToWorker = (child: ChildProcess): Channel => channelOf(child, ['exit', 'error']);

/** From a worker to the process that has started it; undefined where nobody has (`node:child_process` fork). */
export const channelToFirst = (): Channel | undefined =>
  process.send === undefined ? undefined : channelOf(process as unknown as Wired, ['disconnect']);

function channelOf(wired: Wired, ends: readonly string[]): Channel {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const end of ends) wired.once(end, () => resolve());
  return {
    // Without a callback a failure would be an event that ends the process; that the other side is gone is said by `closed`.
    send: (message) => void (wired.connected && wired.send(message, () => undefined)),
    receive: (listener) => void wired.on('message', listener),
    closed: promise,
    close: () => void (wired.connected && wired.disconnect()),
  };
}
