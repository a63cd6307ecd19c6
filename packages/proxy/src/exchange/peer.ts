import type { Duplex } from 'node:stream';

/** The other end of a socket. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** With whom a socket is connected; undefined when it is not. */
export function peerOf(
  socket: Duplex & { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined },
): Peer | undefined {
  const { remoteAddress: address, remotePort: port } = socket;
  return address === undefined || port === undefined ? undefined : { address, port };
}
