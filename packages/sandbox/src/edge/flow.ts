import type { Socket } from 'node:net';
import type { LinkFlow } from '@openshell/control/link';
import { canonicalAddress } from '@openshell/policy';

const MAPPED = '::ffff:';

/** The two ends of an accepted connection; undefined when its client is already gone. */
export function flowOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): LinkFlow | undefined {
  if (remotePort === undefined || localPort === undefined) return undefined;
  const [client, server] = [canonical(remoteAddress), canonical(localAddress)];
  if (client === undefined || server === undefined) return undefined;
  return {
    family: client.includes(':') ? 6 : 4,
    clientAddress: client,
    clientPort: remotePort,
    serverAddress: server,
    serverPort: localPort,
  };
}

/** An IPv4 address that a dual-stack socket shows in its IPv6 form is one of IPv4. */
const canonical = (address: string | undefined): string | undefined =>
  address && canonicalAddress(address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address);
