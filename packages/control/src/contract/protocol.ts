import { ControlRefusal } from './refusal.ts';

/** Versions of the control protocol that one side speaks; both ends included. */
export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

/**
 * What this build speaks. 1: tenants, generations, status, authority, events, explain. 2: rotation of the authority, and draining.
 * A version is never changed after it has been released; what is new gets the next number.
 */
export const PROTOCOL: ProtocolRange = { min: 1, max: 2 };

/** What a proxy may be able to do beyond its protocol version; both sides ignore names that they do not know. */
export const FEATURES = ['socks5', 'link', 'workers', 'host-sources', 'trace-export'] as const;
export type Feature = (typeof FEATURES)[number];

/** The highest version that both speak. Throws `protocol_unsupported`, with both ranges in the message. */
export function negotiate(own: ProtocolRange, other: ProtocolRange, who: 'controller' | 'proxy'): number {
  const agreed = Math.min(own.max, other.max);
  if (agreed >= own.min && agreed >= other.min) return agreed;
  const mine = who === 'controller' ? 'proxy' : 'controller';
  throw new ControlRefusal(
    `the ${mine} speaks version ${formatRange(own)} of the control protocol and the ${who} ${formatRange(other)}: they have none in common`,
    {
      code: 'protocol_unsupported',
      remedy: 'Use a controller and a proxy whose versions overlap; upgrade the older one.',
    },
  );
}

export const formatRange = ({ min, max }: ProtocolRange): string =>
  min === max ? `${min}` : `${min} to ${max}`;
