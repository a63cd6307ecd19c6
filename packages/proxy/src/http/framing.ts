import { fieldValues, type HeaderField, type RequestHead, type ResponseMessageHead } from './request-head.ts';

/** How long a message's body is. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' };

/** A response may also end with its connection. */
export type ResponseFraming = BodyFraming | { readonly kind: 'until-close' };

interface FramingFault {
  readonly kind: 'fault';
  readonly detail: string;
}

export type FramingResult = BodyFraming | FramingFault;
export type ResponseFramingResult = ResponseFraming | FramingFault;

const NONE = { kind: 'none' } as const;
const CHUNKED = { kind: 'chunked' } as const;
const fault = (detail: string): FramingFault => ({ kind: 'fault', detail });

/**
 * RFC 9112 section 6.3, without the choices that it leaves to recipients: whatever two readers could understand
 * differently is refused, which is what request smuggling lives on.
 */
export function framingOf(head: RequestHead): FramingResult {
  const framing = declaredFraming(head, 'request');
  if (framing === undefined) return NONE;
  return framing.kind === 'length' && framing.length === 0 && head.method === 'GET' ? NONE : framing;
}

/** The same for a response to a request of the given method. */
export function responseFramingOf(head: ResponseMessageHead, method: string): ResponseFramingResult {
  const framing = declaredFraming(head, 'response');
  if (framing?.kind === 'fault') return framing;
  if (method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304) return NONE;
  return framing ?? { kind: 'until-close' };
}

type Declared = BodyFraming | FramingFault | undefined;

function declaredFraming(
  head: { readonly version: string; readonly fields: readonly HeaderField[] },
  message: 'request' | 'response',
): Declared {
  let codings = 0;
  let lengths = 0;
  for (const { lowerName } of head.fields) {
    if (lowerName === 'transfer-encoding') codings++;
    else if (lowerName === 'content-length') lengths++;
  }
  if (codings === 0 && lengths === 0) return undefined;
  if (codings > 0 && lengths > 0) return fault('both Transfer-Encoding and Content-Length');
  if (codings > 0) {
    if (head.version === '1.0') return fault(`Transfer-Encoding in an HTTP/1.0 ${message}`);
    const [coding] = fieldValues(head, 'transfer-encoding');
    const chunked = codings === 1 && coding!.toLowerCase() === 'chunked';
    return chunked ? CHUNKED : fault('a Transfer-Encoding other than exactly "chunked"');
  }
  if (lengths > 1) return fault('more than one Content-Length');
  const length = parseLength(fieldValues(head, 'content-length')[0]!);
  return length === undefined
    ? fault('a Content-Length that is not a plain number')
    : { kind: 'length', length };
}

/** Digits only, and few enough to be exact as a number: no sign, no list, no white space inside. */
export const parseLength = (text: string): number | undefined =>
  /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
