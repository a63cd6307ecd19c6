import type { Socket } from 'node:net';
import { HeadReader } from '../http/head-reader.ts';
import type { HttpFault } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import { SOCKS4, SOCKS5 } from '../socks/messages.ts';
import type { ReadRequest } from '../tenant/adoption.ts';

/** What a client that knows of the proxy begins with. */
export type Opening =
  | ReadRequest
  | { readonly kind: 'fault'; readonly fault: HttpFault }
  /** The first bytes of SOCKS5. */
  | { readonly kind: 'socks5'; readonly initial: Buffer }
  | { readonly kind: 'socks4' }
  /** The client went away without having said anything. */
  | { readonly kind: 'gone' };

/** Reads a client's first request, of HTTP, or that it speaks SOCKS, within its time, and leaves the socket paused. Never rejects. */
export function readOpening(
  socket: Socket,
  limits: Pick<Limits, 'headTime' | 'headBytes' | 'headFields'>,
): Promise<Opening> {
  const { promise, resolve } = Promise.withResolvers<Opening>();
  const reader = new HeadReader(limits);
  const finish = (opening: Opening): void => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', onClose);
    socket.pause();
    resolve(opening);
  };
  const fault = (status: 400 | 408, detail: string): void =>
    finish({ kind: 'fault', fault: { status, detail } });
  const onData = (chunk: Buffer): void => {
    if (reader.empty && chunk[0] === SOCKS5) finish({ kind: 'socks5', initial: chunk });
    else if (reader.empty && chunk[0] === SOCKS4) finish({ kind: 'socks4' });
    else {
      const result = reader.push(chunk);
      if (result.kind !== 'more') finish(result);
    }
  };
  const onEnd = (): void => {
    if (reader.empty) finish({ kind: 'gone' });
    else fault(400, 'the connection ended within the request head');
  };
  const onClose = (): void => finish({ kind: 'gone' });
  const timer = setTimeout(() => {
    if (reader.empty) fault(408, 'no request came');
    else fault(408, `the request head was not complete after ${limits.headTime} ms`);
  }, limits.headTime);
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', onClose);
  socket.resume();
  return promise;
}
