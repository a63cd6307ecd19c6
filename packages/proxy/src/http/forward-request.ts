import { type Authority, formatAuthority, parseAuthority } from './authority.ts';
import type { BodyFraming } from './framing.ts';
import { fieldValues, type RequestHead } from './request-head.ts';

export type ForwardTarget =
  | { readonly kind: 'target'; readonly authority: Authority /** Origin-form. */; readonly path: string }
  | { readonly kind: 'fault'; readonly error: string; readonly detail: string };

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)([^#]*)$/;

const fault = (error: string, detail: string): ForwardTarget => ({ kind: 'fault', error, detail });

/** Reads the absolute-form target of a request to a proxy (RFC 9112 section 3.2.2). */
export function forwardTarget(head: RequestHead): ForwardTarget {
  const parts = ABSOLUTE.exec(head.target);
  if (parts === null) {
    return head.target.startsWith('/') || head.target === '*'
      ? fault(
          'not_a_proxy_request',
          'this is an HTTP proxy, not a web server: send "CONNECT host:port" or "GET http://host/path", as programs do when HTTP_PROXY and HTTPS_PROXY are set',
        )
      : fault('invalid_request_target', 'the request target is not a URL of the form http://host:port/path');
  }
  const [, scheme = '', authorityText = '', rest = ''] = parts;
  if (scheme.toLowerCase() === 'https')
    return fault('unsupported_proxy_scheme', 'Use CONNECT for https URLs');
  if (scheme.toLowerCase() !== 'http') {
    return fault('unsupported_proxy_scheme', `${scheme} URLs cannot be forwarded; only http URLs can`);
  }
  const authority = parseAuthority(authorityText, 80);
  if (authority === undefined) return fault('invalid_request_target', 'the URL names no valid host and port');
  return { kind: 'target', authority, path: originForm(head.method, rest) };
}

/** RFC 9112 sections 3.2.1 and 3.2.4: an absent path is `/`, or `*` for OPTIONS. */
function originForm(method: string, rest: string): string {
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** RFC 9110 section 7.6.1, and those that this proxy writes itself. */
const NOT_FORWARDED = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
  'content-length',
]);

/** The head as the upstream gets it: written anew from what was understood, for one exchange on one connection. */
export function renderForwardHead(
  head: RequestHead,
  target: Extract<ForwardTarget, { kind: 'target' }>,
  framing: BodyFraming,
): Buffer {
  const nominated = new Set(
    fieldValues(head, 'connection')
      .flatMap((value) => value.split(','))
      .map((option) => option.trim().toLowerCase()),
  );
  const { host, port } = target.authority;
  const lines = [`${head.method} ${target.path} HTTP/1.1`, `Host: ${formatAuthority(host, port, 80)}`];
  for (const { name, lowerName, value } of head.fields) {
    if (NOT_FORWARDED.has(lowerName) || lowerName.startsWith('proxy-') || nominated.has(lowerName)) continue;
    lines.push(`${name}: ${value}`);
  }
  if (framing.kind === 'length') lines.push(`Content-Length: ${framing.length}`);
  if (framing.kind === 'chunked') lines.push('Transfer-Encoding: chunked');
  // RFC 9110 section 7.6.3.
  lines.push(`Via: ${head.version} openshell`, 'Connection: close', '', '');
  return Buffer.from(lines.join('\r\n'), 'latin1');
}
