/**
 * The names that a sandbox may know. A door of its own (`@openshell/proxy/dns`): on a node whose proxy is elsewhere, this alone of the proxy
 * is beside the sandbox.
 */
import { limitsWith } from '../limits.ts';

export { DnsFront, type DnsFrontOptions } from './front.ts';
export { type DnsListeners, DnsService, type DnsServiceLimits } from './listeners.ts';
export { encodeName, TYPE } from './message.ts';
export { isSynthetic, SyntheticNames } from './synthetic-names.ts';

/** The bounds of a name service that is no tenant's. */
export const dnsLimits = () => {
  const { dnsMessageBytes, dnsNames, dnsQueryRate, dnsTcpConnections, dnsTcpIdleTime } = limitsWith();
  return { dnsMessageBytes, dnsNames, dnsQueryRate, dnsTcpConnections, dnsTcpIdleTime };
};
