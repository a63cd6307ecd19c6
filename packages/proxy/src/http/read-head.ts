import type { Socket } from 'node:net';
import type { Limits } from '../limits.ts';
import { HeadReader, type HeadResult } from './head-reader.ts';

export type ReadHeadResult =
  | Exclude<HeadResult, { kind: 'more' }>
  /** The client went away without having said anything. */
  | { readonly kind: 'gone' };

/** Reads one request head from a socket, within its time, and leaves the socket paused. Never rejects. */
export function readHead(socket: Socket, limits: Limits): Promise<ReadHeadResult> {
  const { promise, resolve } = Promise.withResolvers<ReadHeadResult>();
  const reader = new HeadReader(limits);
  const finish = (result: ReadHeadResult): void => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onClose);
    socket.pause();
    resolve(result);
  };
  const fault = (status: 400 | 408, detail: string): void =>
    finish({ kind: 'fault', fault: { status, detail } });
  const onData = (chunk: Buffer): void => {
    const result = reader.push(chunk);
    if (result.kind !== 'more') finish(result);
  };
  const onEnd = (): void => {
    if (reader.empty) finish({ kind: 'gone' });
    else fault(400, 'the connection ended within the request head');
  };
  const onClose = (): void => finish({ kind: 'gone' });
  const timer = setTimeout(() => {
    if (reader.empty) finish({ kind: 'fault', fault: { status: 408, detail: 'no request came' } });
    else fault(408, `the request head was not complete after ${limits.headTime} ms`);
  }, limits.headTime);
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', onClose);
  socket.resume();
  return promise;
}
