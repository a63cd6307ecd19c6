import type { RequestMessage } from '../exchange/exchange.ts';
import { type Authority, formatAuthority, parseAuthority } from '../http/authority.ts';
import type { HeaderField, HttpFault, RequestHead } from '../http/request-head.ts';

/** What a client on this connection puts into its request line (RFC 9112 section 3.2). */
export type TargetForm =
  /** It talks to the origin, as far as it knows. */
  | 'origin'
  /** It talks to a proxy: absolute-form. */
  | 'absolute';

export type RequestResult =
  | { readonly kind: 'request'; readonly request: RequestMessage; readonly keepAlive: boolean }
  | { readonly kind: 'fault'; readonly fault: HttpFault; readonly error: string };

const fault = (detail: string, error = 'bad_request', status: HttpFault['status'] = 400): RequestResult => ({
  kind: 'fault',
  error,
  fault: { status, detail },
});

/** Belongs to one connection, or is written anew for the next (RFC 9110 section 7.6.1). */
const OWN_FIELDS = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'host',
  'expect',
]);

/** Fields that a `Connection` field may not take away: they say whose request it is and how long. */
const NOT_NOMINATED = new Set(['host', 'content-length', 'transfer-encoding']);

interface Options {
  readonly form: TargetForm;
  readonly scheme: 'http' | 'https';
  readonly hasBody: boolean;
}

/** What a head means, free of what belongs to its connection. */
export function requestMessage(head: RequestHead, { form, scheme, hasBody }: Options): RequestResult {
  const { method, version } = head;
  // RFC 9110 section 9.3.6: what follows its answer is no HTTP, which only who makes the tunnel can know.
  if (method === 'CONNECT') return fault('CONNECT on a connection that carries other requests');
  let authority: string | undefined;
  let upgrade: string | undefined;
  let expect: string | undefined;
  let options: readonly string[] = [];
  let own = 0;
  for (const { lowerName, value } of head.fields) {
    if (!isOwn(lowerName)) continue;
    own++;
    if (lowerName === 'host') authority = value;
    else if (lowerName === 'connection') options = [...options, ...optionsOf(value)];
    else if (lowerName === 'upgrade') upgrade = upgrade === undefined ? value.toLowerCase() : '';
    else if (lowerName === 'expect') expect = expect === undefined ? value.toLowerCase() : '';
  }
  const nominated = options.find((option) => NOT_NOMINATED.has(option));
  if (nominated !== undefined) return fault(`Connection names ${nominated}, which is not its to name`);
  if (expect !== undefined && expect !== '100-continue')
    return fault('an expectation other than 100-continue', 'expectation_failed', 417);
  const target = targetOf(head, form, scheme, authority);
  if (target.kind === 'fault') return target;
  const fields = own === 0 ? head.fields : head.fields.filter((field) => isPassed(field, options));
  const wantsUpgrade = upgrade !== undefined && upgrade !== '' && options.includes('upgrade') && !hasBody;
  return {
    kind: 'request',
    keepAlive: version === '1.1' ? !options.includes('close') : options.includes('keep-alive'),
    request: {
      method,
      target: target.target,
      scheme,
      authority: target.authority,
      version,
      fields,
      expectsContinue: expect !== undefined && version === '1.1' && hasBody,
      upgrade: wantsUpgrade && version === '1.1' ? upgrade : undefined,
    },
  };
}

const isOwn = (name: string): boolean => OWN_FIELDS.has(name) || name.startsWith('proxy-');
const isPassed = ({ lowerName }: HeaderField, options: readonly string[]): boolean =>
  !isOwn(lowerName) && !options.includes(lowerName);

const KEEP_ALIVE = ['keep-alive'];
const CLOSE = ['close'];

function optionsOf(value: string): readonly string[] {
  const text = value.toLowerCase();
  if (text === 'keep-alive') return KEEP_ALIVE;
  if (text === 'close') return CLOSE;
  return text
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '');
}

type Target =
  | { readonly kind: 'target'; readonly target: string; readonly authority: string | undefined }
  | Extract<RequestResult, { kind: 'fault' }>;

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)([^#]*)$/;

function targetOf(
  head: RequestHead,
  form: TargetForm,
  scheme: 'http' | 'https',
  host: string | undefined,
): Target {
  const { target, method } = head;
  const isOrigin = target.startsWith('/') || (target === '*' && method === 'OPTIONS');
  if (isOrigin && form === 'origin') return { kind: 'target', target, authority: host };
  if (isOrigin) {
    const detail =
      'this is an HTTP proxy, not a web server: send "CONNECT host:port" or "GET http://host/path", as programs do when HTTP_PROXY and HTTPS_PROXY are set';
    return fault(detail, 'not_a_proxy_request') as Target;
  }
  const parts = ABSOLUTE.exec(target);
  if (parts === null) {
    const detail =
      form === 'origin'
        ? 'the request target is neither a path nor a URL'
        : 'the request target is not a URL of the form http://host:port/path';
    return fault(detail, 'invalid_request_target') as Target;
  }
  const [, said = '', text = '', rest = ''] = parts;
  if (said.toLowerCase() !== scheme) return wrongScheme(said.toLowerCase(), form);
  const authority = parseAuthority(text, portOf(scheme));
  if (authority === undefined)
    return fault('the URL names no valid host and port', 'invalid_request_target') as Target;
  // RFC 9112 section 3.2.2: a proxy goes by the URL. Inside a tunnel both are said to one and the same origin.
  if (form === 'origin' && !sameAuthority(host, authority, scheme))
    return fault('the URL and the Host field name different origins') as Target;
  return {
    kind: 'target',
    target: originForm(method, rest),
    authority: formatAuthority(authority.host, authority.port, portOf(scheme)),
  };
}

function wrongScheme(scheme: string, form: TargetForm): Target {
  if (form === 'origin') return fault(`a URL of the scheme ${scheme} on this connection`) as Target;
  const detail =
    scheme === 'https'
      ? 'Use CONNECT for https URLs'
      : `${scheme} URLs cannot be forwarded; only http URLs can`;
  return fault(detail, 'unsupported_proxy_scheme') as Target;
}

export const portOf = (scheme: 'http' | 'https'): number => (scheme === 'http' ? 80 : 443);

function sameAuthority(host: string | undefined, authority: Authority, scheme: 'http' | 'https'): boolean {
  if (host === undefined) return true;
  const said = parseAuthority(host, portOf(scheme));
  return said !== undefined && said.host === authority.host && said.port === authority.port;
}

/** RFC 9112 sections 3.2.1 and 3.2.4: an absent path is `/`, or `*` for OPTIONS. */
function originForm(method: string, rest: string): string {
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
