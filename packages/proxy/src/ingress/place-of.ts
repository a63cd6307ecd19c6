import { parsePeer } from './networks.ts';

/** What one interface gets in IPv6 (RFC 4291 section 2.5.4): whoever has one of these addresses has all of them. */
const INTERFACE_BITS = 64n;

/** What counts as one place in bounds of how much may come from one, by the address of a peer as Node.js shows it. */
export function placeOf(address: string): string {
  const peer = parsePeer(address);
  if (peer === undefined) return address;
  return peer.family === 4 ? `4 ${peer.value}` : `6 ${peer.value >> INTERFACE_BITS}`;
}
