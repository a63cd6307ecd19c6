import { Malformed } from './malformed.ts';
import type { HeaderField, HttpVersion, RequestHead, ResponseLine } from './request-head.ts';

const HTAB = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const COLON = 58;
const DEL = 127;

/** RFC 9110 section 5.6.2, `tchar`. */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

/** Whether a text is a token (RFC 9110 section 5.6.2). */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 255 || TOKEN[code] !== 1) return false;
  }
  return text.length > 0;
}

export interface FieldLimits {
  readonly headFields: number;
}

export interface StartLine<Line> {
  readonly line: Line;
  /** Where the fields begin. */
  readonly next: number;
}

type RequestLine = Pick<RequestHead, 'method' | 'target' | 'version'>;

/** RFC 9112 section 3: `method SP target SP version CRLF`, with single spaces. Throws `Malformed`. */
export function parseRequestLine(bytes: Buffer, end: number): StartLine<RequestLine> {
  let at = 0;
  while (at < end && TOKEN[bytes[at]!] === 1) at++;
  if (at === 0 || bytes[at] !== SP)
    throw new Malformed('the request line does not begin with a method and one space');
  const method = bytes.toString('latin1', 0, at);
  const start = ++at;
  while (at < end && bytes[at]! > SP && bytes[at]! < DEL) at++;
  if (at === start || bytes[at] !== SP)
    throw new Malformed('the request target is missing or has an illegal byte');
  const target = bytes.toString('latin1', start, at);
  const version = readVersion(bytes, at + 1);
  at += 1 + VERSION_LENGTH;
  if (version === undefined || bytes[at] !== CR || bytes[at + 1] !== LF) {
    if (OTHER_VERSION.test(bytes.toString('latin1', at - VERSION_LENGTH, at + 2)))
      throw new Malformed('only HTTP/1.0 and HTTP/1.1 are spoken here', 505);
    throw new Malformed('the request line does not end in one space and an HTTP version');
  }
  return { line: { method, target, version }, next: at + 2 };
}

/** RFC 9112 section 4: `version SP 3DIGIT SP [reason] CRLF`; the last space may be missing, as many servers write it. */
export function parseStatusLine(bytes: Buffer, end: number): StartLine<ResponseLine> {
  const version = readVersion(bytes, 0);
  let at = VERSION_LENGTH;
  if (version === undefined || bytes[at] !== SP) throw new Malformed('the status line has no HTTP version');
  let status = 0;
  for (let digit = 0; digit < 3; digit++) {
    const value = bytes[++at]! - 48;
    if (!(value >= 0 && value <= 9)) throw new Malformed('the status is not three digits');
    status = status * 10 + value;
  }
  if (status < 100 || status > 599) throw new Malformed(`the status ${status} does not exist`);
  at++;
  if (bytes[at] !== CR && bytes[at] !== SP) throw new Malformed('the status is not three digits');
  while (at < end && (bytes[at]! >= SP || bytes[at] === HTAB) && bytes[at] !== DEL) at++;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new Malformed('a control character in the status line');
  return { line: { version, status }, next: at + 2 };
}

const VERSION_LENGTH = 8;
const OTHER_VERSION = /^HTTP\/[0-9]\.[0-9]\r\n$/;
const HTTP_1 = Buffer.from('HTTP/1.');

function readVersion(bytes: Buffer, at: number): HttpVersion | undefined {
  for (let index = 0; index < HTTP_1.length; index++)
    if (bytes[at + index] !== HTTP_1[index]) return undefined;
  const minor = bytes[at + HTTP_1.length];
  return minor === 49 ? '1.1' : minor === 48 ? '1.0' : undefined;
}

/**
 * Reads the fields of a complete head, `end` being behind its empty line. Strict where leniency has let requests be
 * smuggled (RFC 9112 sections 2.2, 5.1 and 5.2): CR LF only, no folded lines, no whitespace before a colon. Throws `Malformed`.
 */
export function parseFields(bytes: Buffer, from: number, end: number, limits: FieldLimits): HeaderField[] {
  const fields: HeaderField[] = [];
  const last = end - 2;
  let at = from;
  while (at < last) {
    if (fields.length === limits.headFields)
      throw new Malformed(`more than ${limits.headFields} header fields`, 431);
    const start = at;
    while (TOKEN[bytes[at]!] === 1) at++;
    if (at === start || bytes[at] !== COLON) throw badName(bytes[start]!);
    const name = bytes.toString('latin1', start, at);
    at++;
    while (bytes[at] === SP || bytes[at] === HTAB) at++;
    const value = at;
    while (bytes[at]! >= SP ? bytes[at] !== DEL : bytes[at] === HTAB) at++;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw badValue(bytes[at]!);
    let stop = at;
    while (stop > value && (bytes[stop - 1] === SP || bytes[stop - 1] === HTAB)) stop--;
    fields.push({ name, lowerName: name.toLowerCase(), value: bytes.toString('latin1', value, stop) });
    at += 2;
  }
  if (at !== last) throw new Malformed('the fields do not end where the head ends');
  return fields;
}

const badName = (first: number): Malformed =>
  new Malformed(
    first === SP || first === HTAB
      ? 'a folded header line'
      : 'a header field without a proper name and colon',
  );

function badValue(byte: number): Malformed {
  if (byte === LF) return new Malformed('a line ends in LF without CR');
  if (byte === CR) return new Malformed('CR without LF');
  return new Malformed(byte === 0 ? 'a NUL byte in the head' : 'a control character in a header field');
}
