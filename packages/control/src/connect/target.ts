import { isAbsolute } from 'node:path';
import type { Duplex } from 'node:stream';
import { ControlRefusal } from '../contract/refusal.ts';

/** What a controller shows and believes on a TLS connection, in PEM. */
export interface ControlTls {
  /** Whom the proxy's certificate has to be from. Absent: the authorities that the system trusts. */
  readonly ca?: string | undefined;
  /** Whom the proxy's certificate has to be for. Absent: the host of the target. */
  readonly serverName?: string | undefined;
  /** The controller's own. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Where the proxy is. */
export type ControlAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export type ControlTarget =
  | (ControlAddress & { readonly kind: 'unix'; readonly token?: string | undefined })
  | (ControlAddress & {
      readonly kind: 'tcp';
      readonly tls: ControlTls;
      readonly token?: string | undefined;
    })
  /** A connection that is there already, and that has its end where its owner ends it. */
  | { readonly kind: 'duplex'; readonly connection: Duplex };

const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):([0-9]{1,5})$/;

/** Reads `unix:/PATH` or `HOST:PORT`. Throws `request_invalid`. */
export function parseControlTarget(text: string): ControlAddress {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (isAbsolute(path)) return { kind: 'unix', path };
    throw unreadable(text, 'The path of the socket starts with a slash');
  }
  const [, address, name, digits] = HOST_PORT.exec(text) ?? [];
  const host = address ?? name;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { kind: 'tcp', host, port };
  throw unreadable(text, 'It is neither');
}

const unreadable = (text: string, why: string): ControlRefusal =>
  new ControlRefusal(`"${text}" says nowhere to find a proxy's control: ${why}`, {
    code: 'request_invalid',
    remedy: 'Write unix:/PATH or HOST:PORT, an IPv6 address in brackets.',
  });
