import { quote } from '../../value/index.ts';
import { unescapePercent } from '../encoding/urlquery.ts';

/** The parts of a URL as Go's `net/url` has them; what is not there is empty. */
export interface Url {
  readonly scheme: string;
  readonly opaque: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly path: string;
  /** The path as it was written, where its usual escaped form is another. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly fragment: string;
  readonly forceQuery: boolean;
  readonly omitHost: boolean;
}

/**
 * Reads a URL or a relative reference (RFC 3986) as Go's `url.Parse`.
 * @throws Error `parse "...": ...`
 */
export const parseUrl = (text: string): Url => {
  try {
    return read(text);
  } catch (thrown) {
    throw new Error(`parse ${quote(text)}: ${(thrown as Error).message}`);
  }
};

const EMPTY: Url = {
  scheme: '',
  opaque: '',
  user: undefined,
  host: '',
  path: '',
  rawPath: '',
  rawQuery: '',
  fragment: '',
  forceQuery: false,
  omitHost: false,
};

const read = (text: string): Url => {
  if (/[\0-\x1f\x7f]/.test(text)) throw new Error('net/url: invalid control character in URL');
  const hash = text.indexOf('#');
  const fragment = hash < 0 ? '' : unescapePercent(text.slice(hash + 1));
  const [scheme, afterScheme] = splitScheme(hash < 0 ? text : text.slice(0, hash));
  const question = afterScheme.indexOf('?');
  const rawQuery = question < 0 ? '' : afterScheme.slice(question + 1);
  let rest = question < 0 ? afterScheme : afterScheme.slice(0, question);
  const url = { ...EMPTY, scheme, fragment, rawQuery, forceQuery: question >= 0 && rawQuery === '' };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: rest };
    const colon = rest.indexOf(':');
    const slash = rest.indexOf('/');
    if (colon >= 0 && (slash < 0 || colon < slash))
      throw new Error('first path segment in URL cannot contain colon');
  }
  let authority = {};
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const end = rest.indexOf('/', 2);
    authority = readAuthority(rest.slice(2, end < 0 ? undefined : end));
    rest = end < 0 ? '' : rest.slice(end);
  }
  return {
    ...url,
    ...authority,
    ...readPath(rest),
    omitHost: scheme !== '' && !('host' in authority) && rest.startsWith('/'),
  };
};

const splitScheme = (text: string): [string, string] => {
  if (text.startsWith(':')) throw new Error('missing protocol scheme');
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  return match === null ? ['', text] : [match[1]!.toLowerCase(), text.slice(match[0].length)];
};

const readAuthority = (authority: string): { host: string; user: string | undefined } => {
  const at = authority.lastIndexOf('@');
  const user = at < 0 ? undefined : authority.slice(0, at);
  if (user !== undefined && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user))
    throw new Error('net/url: invalid userinfo');
  const host = at < 0 ? authority : authority.slice(at + 1);
  return { host: checkHost(host), user: user === undefined ? undefined : unescapePercent(user) };
};

const checkHost = (host: string): string => {
  const name = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':')[0]!;
  if (host.startsWith('[') && name === '') throw new Error("missing ']' in host");
  const port = host.slice(name.length);
  if (port !== '' && !/^:\d*$/.test(port)) throw new Error(`invalid port ${quote(port)} after host`);
  const decoded = host.startsWith('[') ? host : unescapePercent(host);
  const wrong = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u.exec(decoded);
  if (wrong !== null) throw new Error(`invalid character ${quote(wrong[0])} in host name`);
  return decoded;
};

const readPath = (escaped: string): { path: string; rawPath: string } => {
  const path = unescapePercent(escaped);
  return { path, rawPath: escapePath(path) === escaped ? '' : escaped };
};

const escapePath = (path: string): string =>
  path.replace(/[^A-Za-z0-9\-._~$&+,/:;=@]/gu, (char) =>
    encodeURIComponent(char.toWellFormed()).replace(/[!'()*]/g, hexOf),
  );

const hexOf = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;

/** The name or address of a host with a port, without brackets. */
export const hostnameOf = ({ host }: Url): string =>
  host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:[^:]*$/, '');

export const portOf = ({ host }: Url): string =>
  /:(\d*)$/.exec(host.slice(host.lastIndexOf(']') + 1))?.[1] ?? '';
