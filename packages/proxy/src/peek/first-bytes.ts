import { parseAuthority } from '../http/authority.ts';
import { HeadReader } from '../http/head-reader.ts';
import { fieldValues, type RequestHead } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import { looksLikeTls, readClientHello } from '../tls/client-hello.ts';

/** What the first bytes of a client say about its protocol and about whom it wants to talk to. */
export type FirstBytes =
  | { readonly kind: 'more' }
  /** Bytes that only ask for TLS (PostgreSQL); what follows them is to be looked at in the same way. */
  | { readonly kind: 'preamble'; readonly length: number }
  /** `names` are canonical; a ClientHello without a server name has none, an HTTP request may have two. */
  | { readonly kind: 'tls' | 'http'; readonly names: readonly string[] }
  | { readonly kind: 'malformed'; readonly protocol: 'tls' | 'http'; readonly detail: string }
  /** HTTP/2 without TLS (RFC 9113 section 3.3); which hosts it is about comes later. */
  | { readonly kind: 'h2' }
  | { readonly kind: 'other' };

const MORE: FirstBytes = { kind: 'more' };
const OTHER: FirstBytes = { kind: 'other' };

/** RFC 9110 section 9.3, RFC 5789, and WebDAV (RFC 4918, 3253, 5323). */
const METHODS =
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH'.split(
    ' ',
  );
/** RFC 9113 section 3.4. */
const H2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const METHOD_STARTS = METHODS.map((method) => Buffer.from(`${method} `));
const VERSION = /HTTP\/[0-9]/i;
const LF = 10;

/** PostgreSQL protocol 55.2.10: SSLRequest and GSSENCRequest, eight bytes each. */
const PREAMBLES = [Buffer.from('0000000804d2162f', 'hex'), Buffer.from('0000000804d21630', 'hex')];

/** How bytes compare with something that they may be the beginning of. */
function match(bytes: Buffer, pattern: Buffer): 'yes' | 'no' | 'maybe' {
  const length = Math.min(bytes.length, pattern.length);
  if (bytes.compare(pattern, 0, length, 0, length) !== 0) return 'no';
  return length === pattern.length ? 'yes' : 'maybe';
}

/**
 * Tells TLS, HTTP/1 and everything else apart by content, never by port. Judged on a growing prefix of the stream:
 * once the answer is not `more`, further bytes do not change it.
 */
export function classifyFirstBytes(bytes: Buffer, limits: Limits): FirstBytes {
  if (bytes.length === 0) return MORE;
  if (bytes[0] === 22) return classifyTls(bytes);
  if (bytes[0] === 0) return classifyPreamble(bytes);
  return classifyHttp(bytes, limits);
}

function classifyTls(bytes: Buffer): FirstBytes {
  if (bytes.length > 1 && bytes[1] !== 3) return OTHER;
  if (bytes.length < 3) return MORE;
  if (!looksLikeTls(bytes)) return OTHER;
  const result = readClientHello(bytes);
  switch (result.kind) {
    case 'more':
      return MORE;
    case 'malformed':
      return { kind: 'malformed', protocol: 'tls', detail: result.detail };
    case 'hello':
      return nameOfHello(result.serverName);
    default: {
      const unreachable: never = result;
      return unreachable;
    }
  }
}

function nameOfHello(serverName: string | undefined): FirstBytes {
  if (serverName === undefined) return { kind: 'tls', names: [] };
  // The port is not part of a server name; the one here only satisfies the reader.
  const host = serverName.includes(':') ? undefined : parseAuthority(serverName, 443)?.host;
  if (host === undefined)
    return { kind: 'malformed', protocol: 'tls', detail: 'a server name that is no host name' };
  return { kind: 'tls', names: [host] };
}

function classifyPreamble(bytes: Buffer): FirstBytes {
  const results = PREAMBLES.map((preamble) => match(bytes, preamble));
  if (results.includes('yes')) return { kind: 'preamble', length: 8 };
  return results.includes('maybe') ? MORE : OTHER;
}

function classifyHttp(bytes: Buffer, limits: Limits): FirstBytes {
  const methods = METHOD_STARTS.map((start) => match(bytes, start));
  if (!methods.includes('yes')) {
    const preface = match(bytes, H2_PREFACE);
    if (preface === 'yes') return { kind: 'h2' };
    return preface === 'maybe' || methods.includes('maybe') ? MORE : OTHER;
  }
  const lineEnd = bytes.indexOf(LF);
  if (lineEnd === -1) return MORE;
  // `GET key` is Redis, not HTTP: only a version makes a request line.
  if (!VERSION.test(bytes.toString('latin1', 0, lineEnd))) return OTHER;
  const result = new HeadReader(limits).push(bytes);
  switch (result.kind) {
    case 'more':
      return MORE;
    case 'fault':
      return { kind: 'malformed', protocol: 'http', detail: result.fault.detail };
    case 'head':
      return namesOfRequest(result.head);
    default: {
      const unreachable: never = result;
      return unreachable;
    }
  }
}

/** The names in `Host` and, where it is in absolute form, in the target (RFC 9112 section 3.2.2). */
function namesOfRequest(head: RequestHead): FirstBytes {
  const texts = fieldValues(head, 'host');
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(head.target);
  if (absolute !== null) texts.push(absolute[1]!);
  if (head.method === 'CONNECT') texts.push(head.target);
  const names = texts.map((text) => parseAuthority(text, 80)?.host);
  if (names.includes(undefined)) {
    return { kind: 'malformed', protocol: 'http', detail: 'a Host or target that names no host' };
  }
  return { kind: 'http', names: [...new Set(names as string[])] };
}
