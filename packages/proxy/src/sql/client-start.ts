import type { Socket } from 'node:net';
import { looksLikeTls } from '../tls/client-hello.ts';
import type { AlpnProtocol } from '../tls/intercept.ts';
import { readFirst } from './first-bytes.ts';
import type { SqlOptions, SqlRefusalCode } from './options.ts';
import { type FirstPacket, type Parameters, readFirstPacket } from './startup.ts';

/** ALPN name of the protocol (manual, section 55.2.11): what keeps a TLS connection from being taken for another protocol's. */
export const ALPN: readonly AlpnProtocol[] = ['postgresql'];

export type ClientStart =
  | {
      readonly kind: 'startup';
      readonly socket: Socket;
      readonly tls: boolean;
      readonly parameters: Parameters;
      readonly minor: number;
      /** What came along behind the packet. */
      readonly early: Buffer;
    }
  | { readonly kind: 'cancel'; readonly socket: Socket; readonly key: Buffer; readonly packet: Buffer }
  /** `answer`: the client is there to be told, in its protocol. */
  | {
      readonly kind: 'failed';
      readonly socket: Socket;
      readonly code: SqlRefusalCode;
      readonly reason: string;
      readonly answer: boolean;
      readonly remedy?: string | undefined;
    };

type Step = Exclude<FirstPacket, { readonly kind: 'more' }> | { readonly kind: 'hello' };

/** Goes with a client as far as its start-up packet: through requests for encryption and the TLS that follows them. */
export async function startClient(options: SqlOptions): Promise<ClientStart> {
  let socket = options.client;
  let rest = options.initial;
  let tls = false;
  // At most: GSS refused, TLS agreed, start-up.
  for (let round = 0; round < 3; round++) {
    const read = await readFirst({
      socket,
      initial: rest,
      parse: (bytes) => step(bytes, tls),
      time: options.limits.sqlStartTime,
      signal: options.signal,
    });
    if (read.kind === 'failed') return failed(socket, 'sql_startup', read.reason, false);
    const packet = read.value;
    rest = read.rest;
    switch (packet.kind) {
      case 'malformed':
        return failed(socket, 'sql_startup', packet.reason, true);
      case 'startup':
        return { ...packet, socket, tls, early: rest };
      case 'cancel':
        return { kind: 'cancel', socket, key: packet.key, packet: packet.bytes };
      case 'gss-request':
        if (rest.length > 0)
          return failed(socket, 'sql_startup', 'it did not wait for the answer about encryption', true);
        socket.write('N');
        break;
      case 'tls-request':
      case 'hello': {
        // Bytes in the clear behind the request would be taken for a part of what is encrypted.
        const direct = packet.kind === 'hello';
        if (tls) return failed(socket, 'sql_startup', 'it asks for TLS twice', true);
        if (!direct && rest.length > 0)
          return failed(socket, 'sql_startup', 'it did not wait for the answer about TLS', true);
        if (!direct) socket.write('S');
        const secured = await options.intercept(socket, rest, ALPN);
        if (secured.kind === 'failed') {
          return { ...failed(socket, 'client_tls', secured.detail, false), remedy: secured.remedy };
        }
        socket = secured.socket;
        rest = NOTHING;
        tls = true;
        if (direct && !('alpnProtocol' in socket && socket.alpnProtocol === ALPN[0])) {
          return failed(
            socket,
            'client_tls',
            'TLS without a request needs the ALPN protocol "postgresql"',
            true,
          );
        }
        break;
      }
      default:
        packet satisfies never;
    }
  }
  return failed(socket, 'sql_startup', 'it asks for encryption again and again', true);
}

const NOTHING = Buffer.alloc(0);

const failed = (socket: Socket, code: SqlRefusalCode, reason: string, answer: boolean) =>
  ({ kind: 'failed', socket, code, reason, answer }) as const;

function step(bytes: Buffer, tls: boolean): { value: Step; size: number } | undefined {
  if (!tls && looksLikeTls(bytes)) return { value: { kind: 'hello' }, size: 0 };
  const packet = readFirstPacket(bytes);
  switch (packet.kind) {
    case 'more':
      return undefined;
    case 'malformed':
      return { value: packet, size: bytes.length };
    case 'cancel':
      return { value: packet, size: packet.bytes.length };
    default:
      return { value: packet, size: packet.size };
  }
}
