import type { Socket } from 'node:net';
import type { Parsed } from './messages.ts';

export type ReadMessage<Message> =
  | { readonly kind: 'message'; readonly message: Message; readonly rest: Buffer }
  | { readonly kind: 'malformed'; readonly detail: string }
  /** The client went away, or took too long: there is nothing to say. */
  | { readonly kind: 'gone' | 'late' };

export interface ReadMessageOptions<Message> {
  readonly socket: Socket;
  /** Read before. */
  readonly initial: Buffer;
  /** Says what the bytes so far are; bounds their number by asking for no more. */
  readonly parse: (bytes: Buffer) => Parsed<Message>;
  readonly signal: AbortSignal;
}

/** Takes one message from a socket, however its bytes were cut, and leaves the socket paused. `signal` says when it is late. Never rejects. */
export function readMessage<Message>(options: ReadMessageOptions<Message>): Promise<ReadMessage<Message>> {
  const { socket, initial, parse, signal } = options;
  const first = take(initial, parse);
  if (first !== undefined) return Promise.resolve(first);
  if (signal.aborted) return Promise.resolve({ kind: 'late' });
  if (socket.destroyed || socket.readableEnded) return Promise.resolve({ kind: 'gone' });
  const { promise, resolve } = Promise.withResolvers<ReadMessage<Message>>();
  let bytes = initial;
  const finish = (result: ReadMessage<Message>): void => {
    socket.off('data', onData).off('end', onGone).off('close', onGone);
    signal.removeEventListener('abort', onLate);
    socket.pause();
    resolve(result);
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const result = take(bytes, parse);
    if (result !== undefined) finish(result);
  };
  const onGone = (): void => finish({ kind: 'gone' });
  const onLate = (): void => finish({ kind: 'late' });
  socket.on('data', onData).on('end', onGone).on('close', onGone);
  signal.addEventListener('abort', onLate);
  socket.resume();
  return promise;
}

function take<Message>(
  bytes: Buffer,
  parse: (bytes: Buffer) => Parsed<Message>,
): Exclude<ReadMessage<Message>, { kind: 'gone' | 'late' }> | undefined {
  const parsed = parse(bytes);
  switch (parsed.kind) {
    case 'more':
      return undefined;
    case 'malformed':
      return parsed;
    case 'message':
      return { kind: 'message', message: parsed.message, rest: bytes.subarray(parsed.length) };
    default:
      return parsed satisfies never;
  }
}
