import { fieldValues, type RequestHead } from './request-head.ts';

/** How long a request's body is. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' };

export type FramingResult = BodyFraming | { readonly kind: 'fault'; readonly detail: string };

const fault = (detail: string): FramingResult => ({ kind: 'fault', detail });

/**
 * RFC 9112 section 6.3, without the choices that it leaves to recipients: whatever two readers could understand
 * differently is refused, which is what request smuggling lives on.
 */
export function framingOf(head: RequestHead): FramingResult {
  const codings = fieldValues(head, 'transfer-encoding');
  const lengths = fieldValues(head, 'content-length');
  if (codings.length > 0 && lengths.length > 0) return fault('both Transfer-Encoding and Content-Length');
  if (codings.length > 0) {
    if (head.version === '1.0') return fault('Transfer-Encoding in an HTTP/1.0 request');
    const chunked = codings.length === 1 && codings[0]!.toLowerCase() === 'chunked';
    return chunked ? { kind: 'chunked' } : fault('a Transfer-Encoding other than exactly "chunked"');
  }
  if (lengths.length === 0) return { kind: 'none' };
  if (lengths.length > 1) return fault('more than one Content-Length');
  // Digits only, and few enough to be exact as a number: no sign, no list, no white space inside.
  if (!/^[0-9]{1,15}$/.test(lengths[0]!)) return fault('a Content-Length that is not a plain number');
  const length = Number(lengths[0]);
  return length === 0 && head.method === 'GET' ? { kind: 'none' } : { kind: 'length', length };
}
