import { HeadFinder } from './head-finder.ts';
import { type FieldLimits, parseFields, parseRequestLine, parseStatusLine } from './head-parser.ts';
import { Malformed } from './malformed.ts';
import type { HttpFault, RequestHead, ResponseMessageHead } from './request-head.ts';

export type ReadResult<Head> =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'head';
      readonly head: Head;
      /** What came along behind the head. */
      readonly rest: Buffer;
    }
  | { readonly kind: 'fault'; readonly fault: HttpFault };

export type HeadResult = ReadResult<RequestHead>;
export type ResponseHeadResult = ReadResult<ResponseMessageHead>;

export interface HeadLimits extends FieldLimits {
  readonly headBytes: number;
}

const MORE = { kind: 'more' } as const;

type Parse<Head> = (bytes: Buffer, end: number, limits: FieldLimits) => Head;

/** Reads one head after the other as their bytes come in; how the bytes were cut cannot change the outcome. */
class MessageHeadReader<Head> {
  readonly #limits: HeadLimits;
  readonly #parse: Parse<Head>;
  readonly #checkFirstLine: (bytes: Buffer, end: number) => void;
  #finder: HeadFinder;

  constructor(limits: HeadLimits, parse: Parse<Head>, checkFirstLine: (bytes: Buffer, end: number) => void) {
    this.#limits = limits;
    this.#parse = parse;
    this.#checkFirstLine = checkFirstLine;
    this.#finder = new HeadFinder(limits.headBytes, checkFirstLine);
  }

  /** True when no byte of the next head has come yet. */
  get empty(): boolean {
    return this.#finder.empty;
  }

  /** Takes the next bytes. After a head the reader is ready for the next one; after a fault it is done. */
  push(chunk: Buffer): ReadResult<Head> {
    return this.#readWhole(chunk) ?? this.#readOn(chunk);
  }

  /** What is wrong with a head is said by the reading that goes byte by byte, so that it is said the same way however it came. */
  #readWhole(chunk: Buffer): ReadResult<Head> | undefined {
    const found = this.#finder.findWhole(chunk);
    if (found === undefined) return undefined;
    try {
      return { kind: 'head', head: this.#parse(found.bytes, found.end, this.#limits), rest: found.rest };
    } catch (thrown) {
      if (thrown instanceof Malformed) return undefined;
      throw thrown;
    }
  }

  #readOn(chunk: Buffer): ReadResult<Head> {
    try {
      const found = this.#finder.push(chunk);
      if (found === undefined) return MORE;
      this.#finder = new HeadFinder(this.#limits.headBytes, this.#checkFirstLine);
      return { kind: 'head', head: this.#parse(found.bytes, found.end, this.#limits), rest: found.rest };
    } catch (thrown) {
      if (thrown instanceof Malformed) return { kind: 'fault', fault: thrown.fault };
      throw thrown;
    }
  }
}

/**
 * Reads request heads. Strict where leniency has let requests be smuggled (RFC 9112 sections 2.2, 5.1, 5.2 and 11.2): CR LF
 * only, no folded lines, no whitespace before a colon, single spaces in the request line, exactly one `Host`.
 */
export class HeadReader extends MessageHeadReader<RequestHead> {
  constructor(limits: HeadLimits) {
    super(limits, parseRequestHead, parseRequestLine);
  }
}

/** Reads response heads, as strictly. */
export class ResponseHeadReader extends MessageHeadReader<ResponseMessageHead> {
  constructor(limits: HeadLimits) {
    super(limits, parseResponseHead, parseStatusLine);
  }
}

function parseRequestHead(bytes: Buffer, end: number, limits: FieldLimits): RequestHead {
  const { line, next } = parseRequestLine(bytes, end);
  const fields = parseFields(bytes, next, end, limits);
  let hosts = 0;
  for (const { lowerName } of fields) {
    if (lowerName === 'host') hosts++;
    // Gateways of the CGI family cannot tell `_` from `-` (RFC 3875 section 4.1.18).
    else if (lowerName === 'content_length' || lowerName === 'transfer_encoding')
      throw new Malformed(
        `the field ${lowerName}, which some servers take for ${lowerName.replace('_', '-')}`,
      );
  }
  if (hosts > 1) throw new Malformed('more than one Host field');
  // RFC 9112 section 3.2: a request without Host is refused, except one of HTTP/1.0.
  if (hosts === 0 && line.version === '1.1') throw new Malformed('the Host field is missing');
  return { method: line.method, target: line.target, version: line.version, fields };
}

function parseResponseHead(bytes: Buffer, end: number, limits: FieldLimits): ResponseMessageHead {
  const { line, next } = parseStatusLine(bytes, end);
  return { version: line.version, status: line.status, fields: parseFields(bytes, next, end, limits) };
}
