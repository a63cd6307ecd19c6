import type { ResponseHead } from '../exchange/exchange.ts';
import { Malformed } from '../http/malformed.ts';
import type { Limits } from '../limits.ts';
import { type RawFields, readFields, takeContentLength, takeFields } from './fields.ts';

type HeadLimits = Pick<Limits, 'headBytes' | 'headFields'>;

export interface ReadResponse {
  readonly head: ResponseHead;
  /** Of the body in bytes; undefined where its end tells. */
  readonly length: number | undefined;
}

/** Understands the head of an informational response (RFC 9110 section 15.2). Throws `Malformed`. */
export function readInterim(raw: RawFields, limits: HeadLimits): ResponseHead {
  const { head } = read(raw, limits);
  if (head.status < 100 || head.status > 199) throw new Malformed('not an informational status');
  // RFC 9113 section 8.6.
  if (head.status === 101) throw new Malformed('the status 101, which HTTP/2 does not have');
  return head;
}

/** Understands the head of a final response (RFC 9113 section 8.3.2). Throws `Malformed`. */
export function readResponse(
  raw: RawFields,
  {
    method,
    ended,
    limits,
  }: { readonly method: string; readonly ended: boolean; readonly limits: HeadLimits },
): ReadResponse {
  const { head, length } = read(raw, limits);
  const { status } = head;
  if (status < 200 || status > 599) throw new Malformed(`the status ${status} does not exist`);
  const bodyless = method === 'HEAD' || status === 204 || status === 304;
  if (bodyless) return { head: { ...head, declaredLength: length }, length: 0 };
  if (ended && length !== undefined && length > 0) throw new Malformed('Content-Length without a body');
  return { head, length: ended ? 0 : length };
}

function read(raw: RawFields, limits: HeadLimits): ReadResponse {
  const { pseudo, fields } = readFields(raw, {
    bytes: limits.headBytes,
    fields: limits.headFields,
    outerSpace: 'strip',
  });
  const status = pseudo.get(':status');
  if (status === undefined || !/^[0-9]{3}$/.test(status))
    throw new Malformed('the status is not three digits');
  if (pseudo.size > 1) throw new Malformed('a pseudo-header field that a response does not have');
  const length = takeContentLength(fields);
  takeFields(fields, 'te');
  return {
    head: {
      status: Number(status),
      fields: fields.filter(({ lowerName }) => !lowerName.startsWith('proxy-')),
    },
    length,
  };
}
