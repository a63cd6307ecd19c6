import type { Socket } from 'node:net';
import { isIPv4 } from 'node:net';
import { baseName, type ProcessOptions } from '@openshell/audit';
import { messageOf } from '@openshell/base';
import type { Evidence } from '@openshell/policy';

/** The two ends of one connection of a sandbox, as its own kernel sees them. */
export interface Flow {
  readonly family: 4 | 6;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** Finds who holds the client end of a connection. The runtime has one; a proxy on its own has none. */
export interface EvidenceSource {
  identify(flow: Flow): Promise<Evidence>;
}

const MAPPED = '::ffff:';

/** An IPv4 address that a dual-stack socket shows in its IPv6 form, as IPv4; any other text as it is. */
export function unmapped(address: string): string {
  if (!address.startsWith(MAPPED)) return address;
  const inner = address.slice(MAPPED.length);
  return isIPv4(inner) ? inner : address;
}

/** The flow of an accepted socket; undefined when its client is already gone. */
export function flowOf(socket: Socket): Flow | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  const clientAddress = unmapped(remoteAddress);
  return {
    family: isIPv4(clientAddress) ? 4 : 6,
    clientAddress,
    clientPort: remotePort,
    serverAddress: unmapped(localAddress),
    serverPort: localPort,
  };
}

const unknown = (reason: string): Evidence => ({ kind: 'unknown', reason });

/** Asks for at most `timeoutMs`. Never throws: what cannot be found out is `unknown`, and the policy decides on that. */
export async function identifyWithin(
  source: EvidenceSource,
  flow: Flow | undefined,
  timeoutMs: number,
): Promise<Evidence> {
  if (flow === undefined) return unknown('the client closed the connection before it could be identified');
  const late = Promise.withResolvers<Evidence>();
  const timer = setTimeout(
    () => late.resolve(unknown(`identification took over ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([source.identify(flow), late.promise]);
  } catch (cause) {
    return unknown(messageOf(cause));
  } finally {
    clearTimeout(timer);
  }
}

/** How events name the program that asked. */
export function processOf(evidence: Evidence): ProcessOptions | undefined {
  if (evidence.kind === 'unknown') return undefined;
  const { path, sha256 } = evidence.executable;
  return { name: baseName(path), pid: evidence.pid, path, sha256 };
}
