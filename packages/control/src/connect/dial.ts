import { once } from 'node:events';
import { isIP, connect as netConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { messageOf } from '@openshell/base';
import { ControlRefusal } from '../contract/refusal.ts';
import type { ControlTarget } from './target.ts';

type Dialled = Exclude<ControlTarget, { kind: 'duplex' }>;

/** Connects to a proxy. TLS is version 1.3, and the proxy's certificate is verified. Throws `unavailable` or `unauthenticated`. */
export async function dial(target: Dialled, signal: AbortSignal): Promise<Duplex> {
  const socket = open(target);
  try {
    await once(socket, target.kind === 'tcp' ? 'secureConnect' : 'connect', { signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    throw unreachable(target, signal.aborted ? 'it takes too long' : messageOf(cause), cause);
  }
}

const open = (target: Dialled) => {
  if (target.kind === 'unix') return netConnect({ path: target.path });
  const { host, port, tls } = target;
  const { ca, certificate, key, serverName = host } = tls;
  return tlsConnect({
    host,
    port,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    // RFC 6066 section 3: addresses are no server names. The certificate is compared with `host` then.
    ...(isIP(serverName) === 0 && { servername: serverName }),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  });
};

const unreachable = (target: Dialled, why: string, cause: unknown): ControlRefusal => {
  const where = target.kind === 'unix' ? `unix:${target.path}` : `${target.host}:${target.port}`;
  return new ControlRefusal(`the proxy at ${where} cannot be reached: ${why}`, {
    code: 'unavailable',
    remedy: 'See whether it runs and listens there, and whether the certificates fit.',
    cause,
  });
};
