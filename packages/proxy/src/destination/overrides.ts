import { BlockList, isIPv6 } from 'node:net';

/**
 * The operator's word that a name lives at an address, loopback and private ones included. It says where, never
 * whether: policy still has to allow the name and port.
 */
export interface OperatorOverride {
  /** Canonical host name. */
  readonly name: string;
  /** Only for this port; absent, for every port. */
  readonly port?: number;
  readonly address: string;
  /** The port to dial instead. */
  readonly toPort?: number;
}

export type OperatorOverrides = readonly OperatorOverride[];

/** The first override for this name and port. */
export const findOverride = (
  overrides: OperatorOverrides,
  host: string,
  port: number,
): OperatorOverride | undefined =>
  overrides.find((entry) => entry.name === host && (entry.port === undefined || entry.port === port));

/** Whether the operator has put this name and port on this machine, where plain text crosses no wire. Nothing else leads to loopback. */
export function livesOnLoopback(overrides: OperatorOverrides, host: string, port: number): boolean {
  const address = findOverride(overrides, host, port)?.address;
  return address !== undefined && LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether the operator has said anything about this name. */
export const hasOverride = (overrides: OperatorOverrides, host: string): boolean =>
  overrides.some((entry) => entry.name === host);
