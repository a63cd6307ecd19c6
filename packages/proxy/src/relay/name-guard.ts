import type { Socket } from 'node:net';
import type { Limits } from '../limits.ts';
import { type Peeked, type PeekVerdict, peek } from '../peek/peek.ts';

export interface NameGuardOptions {
  readonly client: Socket;
  readonly upstream: Socket;
  /** The name that policy has allowed. */
  readonly name: string;
  /** Read before. */
  readonly initial?: Buffer | undefined;
  readonly limits: Limits;
}

export interface NameContradiction {
  readonly protocol: 'tls' | 'http' | 'other';
  readonly reason: string;
}

export interface NameGuardOutcome {
  /** May go out now; the socket is paused. */
  pass(bytes: Buffer): void;
  refuse(contradiction: NameContradiction): void;
}

/**
 * Holds a client's first bytes back until they are known not to contradict the name that was allowed: a TLS server
 * name or an HTTP `Host` of another site would reach that site through a shared front end (domain fronting). What the
 * server says is not held back, so protocols in which it speaks first work.
 */
export function guardName(options: NameGuardOptions, outcome: NameGuardOutcome): void {
  const { client, upstream, name, initial, limits } = options;
  peek({ socket: client, initial, limits }, ({ verdict, bytes }: Peeked) => {
    if (verdict.kind === 'preamble') {
      const rest = bytes.subarray(verdict.length);
      if (upstream.writable) upstream.write(bytes.subarray(0, verdict.length));
      guardName({ ...options, initial: rest }, outcome);
      return;
    }
    const contradiction = contradictionOf(verdict, name, bytes);
    if (contradiction === undefined) outcome.pass(bytes);
    else outcome.refuse(contradiction);
  });
}

const TLS_HANDSHAKE = 22;
const LF = 10;

const unfinished = (bytes: Buffer): NameContradiction => ({
  protocol: bytes[0] === TLS_HANDSHAKE ? 'tls' : 'other',
  reason: 'the first bytes begin like TLS or HTTP, but the name in them did not arrive within the limits',
});

/** Why these first bytes may not be sent to a destination of this name; undefined when they may. */
export function contradictionOf(
  verdict: PeekVerdict,
  name: string,
  bytes: Buffer,
): NameContradiction | undefined {
  switch (verdict.kind) {
    case 'other':
    case 'h2':
    case 'preamble':
      return undefined;
    case 'tls':
    case 'http': {
      const said = verdict.names.find((candidate) => candidate !== name);
      if (said === undefined) return undefined;
      const where = verdict.kind === 'tls' ? 'TLS server name' : 'HTTP Host';
      return { protocol: verdict.kind, reason: `the ${where} ${said} contradicts the name ${name}` };
    }
    case 'malformed':
      return {
        protocol: verdict.protocol,
        reason: `${verdict.protocol.toUpperCase()} not understood: ${verdict.detail}`,
      };
    case 'ended':
      // Too little to be a message of either protocol: harmless, and what health checks do.
      return bytes[0] !== TLS_HANDSHAKE && !bytes.includes(LF) ? undefined : unfinished(bytes);
    case 'late':
    case 'full':
      return unfinished(bytes);
    default: {
      const unreachable: never = verdict;
      return unreachable;
    }
  }
}
