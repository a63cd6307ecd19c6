import { OpenShellError } from '@openshell/base';
import { formatAuthority, parseAuthority } from '../http/authority.ts';
import { NoProxy } from './no-proxy.ts';

export interface UpstreamProxyOptions {
  /** `http://[user:password@]host:port`. */
  readonly url: string;
  /** `user:password`, as a file of the operator's holds it; instead of the one in `url`. */
  readonly auth?: string;
  /** As in `NO_PROXY`. */
  readonly noProxy?: string;
  /** Asks the proxy for the name instead of the checked address, for proxies that insist. It then resolves the name itself. */
  readonly byHostname?: boolean;
}

/** The proxy through which the operator's network lets connections out. What it is told to prove who asks is never printed. */
export class UpstreamProxy {
  readonly host: string;
  readonly port: number;
  readonly byHostname: boolean;
  readonly noProxy: NoProxy;
  readonly #authorization: string | undefined;

  /** Throws `bad_upstream_proxy` or `bad_no_proxy`. */
  constructor({ url, auth, noProxy = '', byHostname = false }: UpstreamProxyOptions) {
    const parsed = URL.parse(url);
    if (
      parsed?.protocol !== 'http:' ||
      !/^\/?$/.test(parsed.pathname) ||
      parsed.search !== '' ||
      parsed.hash !== ''
    ) {
      throw malformed('its address is not of the form http://host:port');
    }
    const authority = parseAuthority(parsed.host, 80);
    if (authority === undefined) throw malformed('its address names no host');
    this.host = authority.host;
    this.port = authority.port;
    this.byHostname = byHostname;
    this.noProxy = new NoProxy(noProxy);
    this.#authorization = basic(auth === undefined ? userInfo(parsed) : auth.replace(/\r?\n$/, ''));
  }

  /** The request for a tunnel (RFC 9110 section 9.3.6). */
  connectRequest(host: string, port: number): Buffer {
    const authority = formatAuthority(host, port);
    const authorization =
      this.#authorization === undefined ? '' : `Proxy-Authorization: ${this.#authorization}\r\n`;
    return Buffer.from(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`,
      'latin1',
    );
  }

  get hasCredentials(): boolean {
    return this.#authorization !== undefined;
  }

  /** For messages. */
  toString(): string {
    return formatAuthority(this.host, this.port);
  }
}

function userInfo({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    throw malformed('its user or password is not percent-encoded UTF-8');
  }
}

/** RFC 7617 section 2: the user has no colon, and neither part has control characters. */
function basic(credentials: string | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  if (!credentials.includes(':') || /[\0-\x1f\x7f]/.test(credentials)) {
    throw malformed('its credentials are not of the form user:password on one line');
  }
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** Says nothing of the text: it may hold a password. */
const malformed = (why: string): OpenShellError =>
  new OpenShellError(`the upstream proxy cannot be used: ${why}`, {
    code: 'bad_upstream_proxy',
    remedy: 'Give http://host:port, and user:password in a file.',
  });
