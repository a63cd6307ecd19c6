import type { RequestMessage } from '../exchange/exchange.ts';
import { parseAuthority } from '../http/authority.ts';
import { isToken } from '../http/head-parser.ts';
import { Malformed } from '../http/malformed.ts';
import type { HeaderField, HttpFault } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import { type FieldSection, type RawFields, readFields, takeContentLength, takeFields } from './fields.ts';

export interface RequestContext {
  readonly scheme: 'http' | 'https';
  /** The stream ended with its head. */
  readonly ended: boolean;
  readonly limits: Pick<Limits, 'headBytes' | 'headFields'>;
}

export type ReadRequestResult =
  | { readonly kind: 'request'; readonly request: RequestMessage; readonly length: number | undefined }
  | { readonly kind: 'fault'; readonly fault: HttpFault };

const PSEUDO: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path']);

/** Understands the head of a request (RFC 9113 section 8.3.1), or says why not. */
export function readRequest(raw: RawFields, context: RequestContext): ReadRequestResult {
  try {
    return understand(raw, context);
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'fault', fault: error.fault };
    throw error;
  }
}

function understand(raw: RawFields, { scheme, ended, limits }: RequestContext): ReadRequestResult {
  const section = readFields(raw, {
    bytes: limits.headBytes,
    fields: limits.headFields,
    outerSpace: 'refuse',
  });
  const { pseudo, fields } = section;
  const { method, target } = readPseudo(section, scheme);
  const authority = readAuthority(pseudo.get(':authority'), fields, scheme);
  const length = takeContentLength(fields);
  if (ended && length !== undefined && length > 0) throw new Malformed('Content-Length without a body');
  if (takeFields(fields, 'te').some((value) => value.toLowerCase() !== 'trailers'))
    throw new Malformed('TE other than "trailers"');
  const expectations = takeFields(fields, 'expect');
  if (expectations.some((value) => value.toLowerCase() !== '100-continue'))
    throw new Malformed('an expectation other than 100-continue', 417);
  joinCookies(fields);
  const request: RequestMessage = {
    method,
    target,
    scheme,
    authority,
    version: '2',
    fields: fields.filter(({ lowerName }) => !lowerName.startsWith('proxy-')),
    expectsContinue: expectations.length > 0 && !ended,
    upgrade: undefined,
  };
  return { kind: 'request', request, length: ended ? 0 : length };
}

function readPseudo(
  { pseudo }: FieldSection,
  scheme: 'http' | 'https',
): { readonly method: string; readonly target: string } {
  const method = pseudo.get(':method');
  if (method === undefined || !isToken(method)) throw new Malformed('the method is missing or no token');
  if (method === 'CONNECT') throw new Malformed('CONNECT within an HTTP/2 connection');
  for (const name of pseudo.keys())
    if (!PSEUDO.has(name)) throw new Malformed(`${name}, which a request does not have`);
  if (pseudo.get(':scheme') !== scheme) throw new Malformed(`the scheme is not ${scheme}`);
  const target = pseudo.get(':path');
  if (target === undefined) throw new Malformed('the path is missing');
  if (!/^[\x21-\x7e]+$/.test(target)) throw new Malformed('an illegal byte in the path');
  if (!target.startsWith('/') && !(target === '*' && method === 'OPTIONS'))
    throw new Malformed('the path does not begin with a slash');
  return { method, target };
}

/** RFC 9113 section 8.3.1: `:authority`, or `Host` in its place. Both have to say the same. */
function readAuthority(
  authority: string | undefined,
  fields: HeaderField[],
  scheme: 'http' | 'https',
): string {
  const hosts = takeFields(fields, 'host');
  if (hosts.length > 1) throw new Malformed('more than one Host field');
  const host = hosts[0];
  const named = authority ?? host;
  if (named === undefined) throw new Malformed('neither :authority nor Host');
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    throw new Malformed('Host and :authority differ');
  if (parseAuthority(named, scheme === 'https' ? 443 : 80) === undefined)
    throw new Malformed('the authority is not a host and a port');
  return named;
}

/** RFC 9113 section 8.2.3: crumbs of a cookie are one field to everybody but HTTP/2. */
function joinCookies(fields: HeaderField[]): void {
  const first = fields.findIndex(({ lowerName }) => lowerName === 'cookie');
  if (first === -1) return;
  const value = takeFields(fields, 'cookie').join('; ');
  fields.splice(first, 0, { name: 'cookie', lowerName: 'cookie', value });
}
