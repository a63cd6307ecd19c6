import { isIP } from 'node:net';
import { usageError } from './usage-error.ts';

/** Where something is served. */
export interface Address {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
}

/** Where the proxy is served. */
export type ListenWord =
  | ({ readonly kind: 'address' } & Address)
  /** A socket that whoever started the program had listened on already (systemd.socket(5)). */
  | { readonly kind: 'descriptor'; readonly name: string };

const ADDRESS = /^(?:\[([^\]]+)\]|([^:]*)):([0-9]{1,5})$/;

/** Every address, IPv4 and IPv6, of one socket. */
const EVERYWHERE = '::';

/** Reads `ADDRESS:PORT`, `[IPv6]:PORT` or `:PORT`, which is every address. Throws `usage`. */
export function parseAddress(text: string, option: string): Address {
  const parts = ADDRESS.exec(text);
  const host = parts?.[1] ?? (parts?.[2] || EVERYWHERE);
  const port = Number(parts?.[3]);
  const inBrackets = parts?.[1] !== undefined;
  const everywhere = parts?.[2] === '';
  if (
    parts === null ||
    isIP(host) === 0 ||
    !(port <= 65_535) ||
    (host.includes(':') && !inBrackets && !everywhere)
  )
    throw usageError(
      `--${option} ${text}: not ADDRESS:PORT`,
      'Write for example 127.0.0.1:3128, [::1]:3128, or :3128 for every address.',
    );
  return { host, port };
}

/** Reads an address, or `fd:NAME`, `fd:NUMBER`. Throws `usage`. */
export function parseListen(text: string): ListenWord {
  if (!text.startsWith('fd:')) return { kind: 'address', ...parseAddress(text, 'listen') };
  const name = text.slice('fd:'.length);
  if (!/^[^\s:]{1,255}$/.test(name))
    throw usageError(`--listen ${text}: not fd:NAME or fd:NUMBER`, 'Write for example fd:proxy or fd:3.');
  return { kind: 'descriptor', name };
}

/** As `net.Server.listen` takes it: without a host it takes every address, also where the machine has no IPv6. */
export const everywhere = ({ host, port }: Address): { readonly host?: string; readonly port: number } =>
  host === EVERYWHERE ? { port } : { host, port };
