import type { HeaderField, HttpFault, RequestHead } from './request-head.ts';

const NUL = 0;
const HTAB = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const COLON = 58;
const DEL = 127;
const TLS_HANDSHAKE = 22;

/** RFC 9110 section 5.6.2, `tchar`. */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

export type HeadResult =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'head';
      readonly head: RequestHead;
      /** What came along behind the head. */
      readonly rest: Buffer;
    }
  | { readonly kind: 'fault'; readonly fault: HttpFault };

export interface HeadLimits {
  readonly headBytes: number;
  readonly headFields: number;
}

const MORE: HeadResult = { kind: 'more' };

class Malformed extends Error {
  readonly fault: HttpFault;
  constructor(detail: string, status: HttpFault['status'] = 400) {
    super(detail);
    this.fault = { status, detail };
  }
}

/**
 * Reads a request head as its bytes come in. Bytes are judged one after the other, so how they were split into
 * chunks cannot change the outcome. Strict where leniency has let requests be smuggled (RFC 9112 sections 2.2, 5.1,
 * 5.2 and 11.2): CR LF only, no folded lines, no whitespace before a colon, single spaces in the request line.
 */
export class HeadReader {
  readonly #limits: HeadLimits;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #scanned = 0;
  #lineStart = 0;
  #requestLine: { method: string; target: string; version: '1.0' | '1.1' } | undefined;
  readonly #fields: HeaderField[] = [];
  #hosts = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** True when no byte has come yet. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** Takes the next bytes. After a head or a fault the reader is done. */
  push(chunk: Buffer): HeadResult {
    const before = this.#length;
    this.#append(chunk);
    try {
      const end = this.#scan();
      if (end === undefined) return MORE;
      return { kind: 'head', head: this.#finish(), rest: chunk.subarray(end - before) };
    } catch (thrown) {
      if (thrown instanceof Malformed) return { kind: 'fault', fault: thrown.fault };
      throw thrown;
    }
  }

  /** Keeps at most one byte over the limit: that byte makes the fault. */
  #append(chunk: Buffer): void {
    if (this.#length === 0) {
      this.#bytes = chunk;
      this.#length = chunk.length;
      return;
    }
    const wanted = Math.min(this.#length + chunk.length, this.#limits.headBytes + 1);
    if (wanted > this.#bytes.length || this.#bytes.length === this.#length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#length, 512));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length, 0, wanted - this.#length);
    this.#length = wanted;
  }

  /** Where the head ends, once it does. */
  #scan(): number | undefined {
    const { headBytes } = this.#limits;
    for (; this.#scanned < this.#length; this.#scanned++) {
      const at = this.#scanned;
      if (at >= headBytes) throw new Malformed(`the request head is larger than ${headBytes} bytes`, 431);
      const byte = this.#bytes[at]!;
      const afterCr = at > this.#lineStart && this.#bytes[at - 1] === CR;
      if (byte === LF) {
        if (!afterCr) throw new Malformed('a line ends in LF without CR');
        if (this.#line(this.#lineStart, at - 1)) {
          this.#scanned = at + 1;
          return this.#scanned;
        }
        this.#lineStart = at + 1;
      } else if (afterCr) {
        throw new Malformed('CR without LF');
      } else if (byte === NUL) {
        throw new Malformed('a NUL byte in the request head');
      } else if (at === 0 && byte === TLS_HANDSHAKE) {
        throw new Malformed(
          'this is TLS; the connection to the proxy itself is plain HTTP (use an http:// proxy URL)',
        );
      }
    }
    return undefined;
  }

  /** Takes one line without its end; true when it ends the head. */
  #line(start: number, end: number): boolean {
    if (this.#requestLine === undefined) {
      this.#readRequestLine(start, end);
      return false;
    }
    if (start === end) return true;
    this.#readField(start, end);
    return false;
  }

  #readRequestLine(start: number, end: number): void {
    const bytes = this.#bytes;
    let at = start;
    while (at < end && TOKEN[bytes[at]!] === 1) at++;
    if (at === start || bytes[at] !== SP)
      throw new Malformed('the request line does not begin with a method and one space');
    const method = bytes.toString('latin1', start, at);
    const targetStart = ++at;
    while (at < end && bytes[at]! > SP && bytes[at]! < DEL) at++;
    if (at === targetStart || bytes[at] !== SP)
      throw new Malformed('the request target is missing or has an illegal byte');
    const target = bytes.toString('latin1', targetStart, at);
    this.#requestLine = { method, target, version: readVersion(bytes.toString('latin1', at + 1, end)) };
  }

  #readField(start: number, end: number): void {
    const bytes = this.#bytes;
    if (this.#fields.length === this.#limits.headFields) {
      throw new Malformed(`more than ${this.#limits.headFields} header fields`, 431);
    }
    let colon = start;
    while (colon < end && TOKEN[bytes[colon]!] === 1) colon++;
    if (bytes[start] === SP || bytes[start] === HTAB) throw new Malformed('a folded header line');
    if (colon === start || colon === end || bytes[colon] !== COLON) {
      throw new Malformed('a header field without a proper name and colon');
    }
    const value = this.#fieldValue(colon + 1, end);
    const name = bytes.toString('latin1', start, colon);
    const lowerName = name.toLowerCase();
    if (lowerName === 'host' && ++this.#hosts > 1) throw new Malformed('more than one Host field');
    this.#fields.push({ name, lowerName, value });
  }

  #fieldValue(start: number, end: number): string {
    const bytes = this.#bytes;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if ((byte < SP && byte !== HTAB) || byte === DEL)
        throw new Malformed('a control character in a header field');
    }
    let from = start;
    let to = end;
    while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++;
    while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--;
    return bytes.toString('latin1', from, to);
  }

  #finish(): RequestHead {
    const line = this.#requestLine!;
    // RFC 9112 section 3.2: a request without Host is refused, except one of HTTP/1.0.
    if (this.#hosts === 0 && line.version === '1.1') throw new Malformed('the Host field is missing');
    return { ...line, fields: this.#fields };
  }
}

function readVersion(text: string): '1.0' | '1.1' {
  switch (text) {
    case 'HTTP/1.1':
      return '1.1';
    case 'HTTP/1.0':
      return '1.0';
    default:
      if (/^HTTP\/\d\.\d$/.test(text)) throw new Malformed(`${text} is not spoken here; use HTTP/1.1`, 505);
      throw new Malformed('the request line does not end in one space and an HTTP version');
  }
}
