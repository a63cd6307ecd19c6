import { canonicalHost } from '@openshell/policy';

/** A destination as a request names it. */
export interface Authority {
  /** Canonical: lower-case name without trailing dot, or an address literal without brackets. */
  readonly host: string;
  readonly port: number;
}

const PARTS = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]@/?#\\%]+)(?::([0-9]{1,5}))?$/;

/**
 * Reads `host:port` or `[IPv6]:port` (RFC 9110 section 4.2.3, without user information). Without a port, the default
 * applies, or the text is refused when there is none. Undefined when it is malformed.
 */
export function parseAuthority(text: string, defaultPort?: number): Authority | undefined {
  const parts = PARTS.exec(text);
  if (parts === null) return undefined;
  const [, hostText = '', portText] = parts;
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port === undefined || port < 1 || port > 65_535) return undefined;
  const host = canonicalHost(hostText);
  if (host === undefined || hostText.startsWith('[') !== host.includes(':')) return undefined;
  return { host, port };
}

/** The authority as it stands in a `Host` field or in a message to a person. */
export function formatAuthority(host: string, port: number, defaultPort?: number): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === defaultPort ? shown : `${shown}:${port}`;
}
