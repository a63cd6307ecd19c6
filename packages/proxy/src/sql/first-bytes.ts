import type { Socket } from 'node:net';
import { ignoreError } from '../relay/linger.ts';

export type FirstBytes<T> =
  | { readonly kind: 'read'; readonly value: T; readonly rest: Buffer }
  | { readonly kind: 'failed'; readonly reason: string };

export interface ReadOptions<T> {
  readonly socket: Socket;
  /** Read before. */
  readonly initial: Buffer;
  /** What the bytes say and how many of them that takes; undefined while there are too few. */
  readonly parse: (bytes: Buffer) => { readonly value: T; readonly size: number } | undefined;
  readonly time: number;
  readonly signal: AbortSignal;
}

/** Reads the first thing that a peer says, and leaves the socket paused behind it. `parse` bounds how much that is. Never rejects. */
export function readFirst<T>({
  socket,
  initial,
  parse,
  time,
  signal,
}: ReadOptions<T>): Promise<FirstBytes<T>> {
  const { promise, resolve } = Promise.withResolvers<FirstBytes<T>>();
  let bytes = initial;
  const settle = (result: FirstBytes<T>): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    socket.pause();
    resolve(result);
  };
  const attempt = (): boolean => {
    const parsed = parse(bytes);
    if (parsed === undefined) return false;
    settle({ kind: 'read', value: parsed.value, rest: bytes.subarray(parsed.size) });
    return true;
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    attempt();
  };
  const onEnd = (): void => settle({ kind: 'failed', reason: 'the connection was closed' });
  const onAbort = (): void => settle({ kind: 'failed', reason: 'the connection was ended by the proxy' });
  const timer = setTimeout(
    () => settle({ kind: 'failed', reason: `nothing complete came within ${time} ms` }),
    time,
  );
  socket.on('error', ignoreError);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  else if (!attempt()) {
    if (socket.destroyed || socket.readableEnded) onEnd();
    else {
      socket.on('data', onData).once('end', onEnd).once('close', onEnd);
      socket.resume();
    }
  }
  return promise;
}
