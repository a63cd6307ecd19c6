import type { QueryParameter } from '@openshell/policy';

/** A request target that has one reading only: it is what policy is asked about and what goes upstream. */
export interface CanonicalTarget {
  readonly kind: 'target';
  /** Canonical path, or `*`. */
  readonly path: string;
  /** As sent, with its `?`; empty without one. */
  readonly query: string;
  /** `%2F` is left in some segment. */
  readonly encodedSlash: boolean;
}

export type CanonicalResult = CanonicalTarget | { readonly kind: 'fault'; readonly detail: string };

const fault = (detail: string): CanonicalResult => ({ kind: 'fault', detail });

/** A path that is canonical already, which nearly all are: no `%`, no empty or dot segment, no parameter, nothing unusual. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9\-._~!$&'()*+,=:@]+)*\/?$/;

/**
 * Reads an origin-form target (RFC 9112 section 3.2.1, RFC 3986 section 6.2.2). Where servers differ in what they take a
 * path for, there is one form here: unreserved characters decoded, dot segments resolved, repeated slashes one, path
 * parameters (`;x`) gone; what would have two meanings after that is refused.
 */
export function canonicalTarget(target: string, maxPathBytes: number): CanonicalResult {
  if (target === '*') return { kind: 'target', path: '*', query: '', encodedSlash: false };
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark);
  if (rawPath.length > maxPathBytes) return fault(`the path is longer than ${maxPathBytes} bytes`);
  if (target.includes('#')) return fault('the target has a fragment');
  if (PLAIN.test(rawPath) && rawPath !== '')
    return { kind: 'target', path: rawPath, query, encodedSlash: false };
  return canonicalPath(rawPath, query);
}

function canonicalPath(raw: string, query: string): CanonicalResult {
  if (!raw.startsWith('/')) return fault('the target does not begin with a slash');
  const segments: string[] = [];
  let encodedSlash = false;
  const parts = raw.slice(1).split('/');
  for (const [index, part] of parts.entries()) {
    const semicolon = part.indexOf(';');
    const decoded = decodeSegment(semicolon < 0 ? part : part.slice(0, semicolon));
    if (decoded === undefined) return fault('a % in the path that is not followed by what it may encode');
    if (decoded.includes('\\') || /%5C/.test(decoded)) return fault('a backslash in the path');
    if (decoded.includes('%2F')) encodedSlash = true;
    if (isDotted(decoded)) return fault('dots beside an encoded slash or semicolon in the path');
    if (OVERLONG.test(decoded)) return fault('an overlong UTF-8 sequence in the path');
    const last = index === parts.length - 1;
    if (decoded === '..') {
      if (segments.pop() === undefined) return fault('the path leads above its root');
      if (last) segments.push('');
    } else if (decoded === '.') {
      if (last) segments.push('');
    } else if (decoded !== '' || last) segments.push(decoded);
  }
  return { kind: 'target', path: `/${segments.join('/')}`, query, encodedSlash };
}

/** A dot segment for a server that decodes `%2F`, or cuts parameters off after it has decoded `%3B`. */
const isDotted = (segment: string): boolean =>
  /%2F|%3B/.test(segment) && segment.split('%2F').some((part) => /^\.{1,2}(?:%3B|$)/.test(part));

/** Bytes that lenient decoders take for a shorter character, a slash or a dot perhaps (RFC 3629 section 10). */
const OVERLONG = /%C[01]|%E0%[89]|%F0%8/;

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
/** RFC 3986 section 3.3, `pchar` without `%`. */
const ALLOWED = /^[A-Za-z0-9\-._~!$&'()*+,=:@\\]$/;

/** Decodes what needs no encoding, encodes what does, writes the rest in one way. Undefined for control characters and stray `%`. */
function decodeSegment(segment: string): string | undefined {
  let text = '';
  for (let at = 0; at < segment.length; at++) {
    const char = segment[at]!;
    if (char !== '%') {
      text += ALLOWED.test(char) ? char : percent(char.charCodeAt(0));
      continue;
    }
    const hex = segment.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined;
    const code = Number.parseInt(hex, 16);
    if (code < 0x20 || code === 0x7f) return undefined;
    const decoded = String.fromCharCode(code);
    text += UNRESERVED.test(decoded) ? decoded : percent(code);
    at += 2;
  }
  return text;
}

const percent = (code: number): string => `%${code.toString(16).toUpperCase().padStart(2, '0')}`;

const NO_PARAMETERS: readonly QueryParameter[] = [];

/**
 * The parameters of a query, decoded as forms are (`+` is a space). Undefined when a `%` is not followed by two
 * hexadecimal digits or the bytes are not UTF-8: servers differ in what they make of that.
 */
export function queryParameters(query: string): readonly QueryParameter[] | undefined {
  if (query.length <= 1) return NO_PARAMETERS;
  const parameters: QueryParameter[] = [];
  for (const pair of query.slice(1).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    parameters.push([name, value]);
  }
  return parameters;
}

function decode(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
