import type { Socket } from 'node:net';
import { FrameReader, type Opening, readOpening } from '@openshell/control/link';

export type OpeningResult =
  | { readonly kind: 'opening'; readonly opening: Opening; readonly frames: FrameReader }
  /** The node went away, or kept a connection ready longer than it may. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'fault'; readonly detail: string };

/** Reads what a connection is for, within this time in milliseconds, and leaves it paused. Never rejects. */
export function readFirstFrame(socket: Socket, timeMs: number): Promise<OpeningResult> {
  const { promise, resolve } = Promise.withResolvers<OpeningResult>();
  const frames = new FrameReader();
  const finish = (result: OpeningResult): void => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onGone);
    socket.off('close', onGone);
    socket.pause();
    resolve(result);
  };
  const onGone = (): void => finish({ kind: 'gone' });
  const onData = (bytes: Buffer): void => {
    frames.push(bytes);
    try {
      const frame = frames.next();
      if (frame !== undefined) finish({ kind: 'opening', opening: readOpening(frame.value), frames });
    } catch (thrown) {
      finish({ kind: 'fault', detail: (thrown as Error).message });
    }
  };
  const timer = setTimeout(onGone, timeMs);
  socket.on('data', onData);
  socket.on('end', onGone);
  socket.on('close', onGone);
  socket.resume();
  return promise;
}
