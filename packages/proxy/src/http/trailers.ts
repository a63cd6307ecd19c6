import { Malformed } from './malformed.ts';
import type { HeaderField } from './request-head.ts';

export type { HeaderField } from './request-head.ts';

/** RFC 9112 section 5, one line of a trailer section. */
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/** One field of a trailer section. Throws `Malformed`. */
export function parseTrailerLine(line: string): HeaderField {
  const parts = FIELD_LINE.exec(line);
  if (parts === null) throw new Malformed('a malformed trailer field');
  const name = parts[1]!;
  return { name, lowerName: name.toLowerCase(), value: parts[2]! };
}

/**
 * RFC 9110 section 6.5.1: fields that frame, route, authenticate or change what came before have no place in trailers; a
 * recipient that merges them would read another message than was judged.
 */
const NEVER = new Set([
  'transfer-encoding',
  'content-length',
  'host',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'range',
  'max-forwards',
  'cache-control',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'www-authenticate',
  'proxy-connection',
  'cookie',
  'set-cookie',
  'content-encoding',
  'content-type',
  'content-range',
]);

/** The trailer fields that may be passed on. */
export const passableTrailers = (trailers: readonly HeaderField[]): readonly HeaderField[] =>
  trailers.length === 0 ? trailers : trailers.filter(({ lowerName }) => !NEVER.has(lowerName));
