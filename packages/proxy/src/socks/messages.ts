import { canonicalHost, formatAddress } from '@openshell/policy';
import type { Authority } from '../http/authority.ts';

/** The first byte of a SOCKS client says which version it speaks. No HTTP request begins with either. */
export const SOCKS5 = 5;
export const SOCKS4 = 4;

/** RFC 1928 section 3. */
export const METHODS = { none: 0, password: 2 } as const;
export type Method = keyof typeof METHODS;

/** RFC 1928 section 6. */
export const REPLIES = {
  succeeded: 0,
  failure: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  refused: 5,
  commandUnknown: 7,
  addressUnknown: 8,
} as const;
export type Reply = keyof typeof REPLIES;

/** What the bytes that have come so far are. */
export type Parsed<Message> =
  | { readonly kind: 'more' }
  | { readonly kind: 'message'; readonly message: Message; readonly length: number }
  | { readonly kind: 'malformed'; readonly detail: string };

const MORE = { kind: 'more' } as const;
const malformed = (detail: string) => ({ kind: 'malformed', detail }) as const;

/** The methods that a client offers (RFC 1928 section 3), as numbers. */
export function parseGreeting(bytes: Buffer): Parsed<readonly number[]> {
  if (bytes.length > 0 && bytes[0] !== SOCKS5) return malformed('a greeting of another version than SOCKS5');
  if (bytes.length < 2) return MORE;
  const length = 2 + bytes[1]!;
  if (length === 2) return malformed('a SOCKS5 greeting without a method');
  if (bytes.length < length) return MORE;
  return { kind: 'message', message: [...bytes.subarray(2, length)], length };
}

export interface UserPassword {
  readonly username: string;
  readonly password: string;
}

/** RFC 1929 section 2. */
export function parseUserPassword(bytes: Buffer): Parsed<UserPassword> {
  if (bytes.length > 0 && bytes[0] !== 1) return malformed('a user name and password of an unknown version');
  if (bytes.length < 2) return MORE;
  const passwordAt = 3 + bytes[1]!;
  if (bytes.length < passwordAt) return MORE;
  const length = passwordAt + bytes[passwordAt - 1]!;
  if (bytes.length < length) return MORE;
  const username = bytes.toString('utf8', 2, passwordAt - 1);
  return {
    kind: 'message',
    message: { username, password: bytes.toString('utf8', passwordAt, length) },
    length,
  };
}

/** What a client asks for, or the reply to what it may not ask. */
export type SocksRequest =
  | { readonly kind: 'connect'; readonly destination: Authority }
  | { readonly kind: 'refused'; readonly reply: Reply; readonly detail: string };

const CONNECT = 1;
const ADDRESS_TYPES = { v4: 1, name: 3, v6: 4 } as const;
/** Version, command, reserved, type of address; then the address, then the port. */
const HEAD = 4;

/** RFC 1928 sections 4 and 5. */
export function parseRequest(bytes: Buffer): Parsed<SocksRequest> {
  if (bytes.length > 0 && bytes[0] !== SOCKS5) return malformed('a request of another version than SOCKS5');
  if (bytes.length > 2 && bytes[2] !== 0) return malformed('a SOCKS5 request whose reserved byte is not 0');
  if (bytes.length <= HEAD) return MORE;
  const type = bytes[3]!;
  const size = addressSize(type, bytes);
  if (size === undefined) {
    const detail = `an address of the unknown type ${type}`;
    return {
      kind: 'message',
      message: { kind: 'refused', reply: 'addressUnknown', detail },
      length: bytes.length,
    };
  }
  const length = HEAD + size + 2;
  if (bytes.length < length) return MORE;
  return { kind: 'message', message: understand(bytes.subarray(0, length), type), length };
}

function addressSize(type: number, bytes: Buffer): number | undefined {
  switch (type) {
    case ADDRESS_TYPES.v4:
      return 4;
    case ADDRESS_TYPES.v6:
      return 16;
    case ADDRESS_TYPES.name:
      return 1 + bytes[HEAD]!;
    default:
      return undefined;
  }
}

function understand(bytes: Buffer, type: number): SocksRequest {
  const command = bytes[1]!;
  if (command !== CONNECT) {
    const detail = `the command ${command}: only CONNECT is served, no BIND and no UDP`;
    return { kind: 'refused', reply: 'commandUnknown', detail };
  }
  const port = bytes.readUInt16BE(bytes.length - 2);
  const host = hostOf(bytes.subarray(HEAD, -2), type);
  if (host !== undefined && port !== 0) return { kind: 'connect', destination: { host, port } };
  return { kind: 'refused', reply: 'failure', detail: 'a destination that is no host and port' };
}

/** Canonical; undefined where it is no host. A name may also be the text of an address. */
function hostOf(address: Buffer, type: number): string | undefined {
  if (type === ADDRESS_TYPES.name) return canonicalHost(address.toString('latin1', 1));
  const value = BigInt(`0x${address.toString('hex')}`);
  return formatAddress({ family: type === ADDRESS_TYPES.v4 ? 4 : 6, value });
}

/** The chosen method; undefined: none of those that were offered. */
export const methodReply = (method: Method | undefined): Buffer =>
  Buffer.of(SOCKS5, method === undefined ? 0xff : METHODS[method]);

/** RFC 1929 section 2. After a failure the connection is closed. */
export const passwordReply = (accepted: boolean): Buffer => Buffer.of(1, accepted ? 0 : 1);

/** The address that the proxy connects from is nobody's business: 0.0.0.0:0, as many servers answer. */
export const requestReply = (reply: Reply): Buffer =>
  Buffer.of(SOCKS5, REPLIES[reply], 0, ADDRESS_TYPES.v4, 0, 0, 0, 0, 0, 0);

/** SOCKS4, "request rejected or failed": the only thing that is said in that version. */
export const SOCKS4_REJECTED = Buffer.of(0, 91, 0, 0, 0, 0, 0, 0);
