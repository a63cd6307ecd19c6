import type { Carrier } from '../destination/upstream.ts';

export type ConnectAnswer =
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'garbage' | 'too_large' | 'closed' | 'aborted' };

/** RFC 9112 section 4. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r\n/;
const START = Buffer.from('HTTP/1.');
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Sends a CONNECT request and reads the head of its answer. What follows the head of a success belongs to the tunnel and is
 * put back (RFC 9110 section 9.3.6: no body, whatever the fields say).
 */
export function requestTunnel(
  carrier: Carrier,
  request: Buffer,
  maxBytes: number,
  signal: AbortSignal,
): Promise<ConnectAnswer> {
  const { socket } = carrier;
  const { promise, resolve } = Promise.withResolvers<ConnectAnswer>();
  let head: Buffer = Buffer.alloc(0);
  const settle = (answer: ConnectAnswer): void => {
    socket.off('close', onClose).off('end', onClose).off('error', onClose);
    signal.removeEventListener('abort', onAbort);
    resolve(answer);
  };
  const onClose = (): void => settle({ kind: 'closed' });
  const onAbort = (): void => settle({ kind: 'aborted' });
  socket.on('close', onClose).on('end', onClose).on('error', onClose);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort);
  socket.write(request);
  carrier.readInto((bytes) => {
    head = Buffer.concat([head, bytes]);
    const end = head.subarray(0, maxBytes).indexOf(HEAD_END);
    if (end === -1) {
      const length = Math.min(head.length, START.length);
      if (head.compare(START, 0, length, 0, length) !== 0) settle({ kind: 'garbage' });
      else if (head.length >= maxBytes) settle({ kind: 'too_large' });
      else return true;
      return false;
    }
    const status = STATUS_LINE.exec(head.toString('latin1', 0, end + HEAD_END.length))?.[1];
    carrier.putBack(head.subarray(end + HEAD_END.length));
    settle(status === undefined ? { kind: 'garbage' } : { kind: 'answer', status: Number(status) });
    return false;
  });
  return promise;
}
