import type { Socket } from 'node:net';
import { ignoreError } from '../relay/linger.ts';
import { ALPN } from './client-start.ts';
import { readFirst } from './first-bytes.ts';
import type { SqlLeg, SqlOptions } from './options.ts';
import { TLS_REQUEST } from './startup.ts';

export type ServerStart =
  | { readonly kind: 'open'; readonly socket: Socket; readonly tls: boolean }
  | Extract<SqlLeg, { readonly kind: 'failed' }>;

/**
 * Connects to the server: with TLS where the client asked for it, and else with TLS where the server has it and is who it should
 * be, so that the way behind the proxy is never worse than what the client asked for, and often better.
 */
export async function startServer(options: SqlOptions, wantsTls: boolean): Promise<ServerStart> {
  const first = await attempt(options);
  if (first.kind === 'failed' && wantsTls) return first.failure;
  if (first.kind === 'open') {
    if (first.tls || !wantsTls) return first;
    first.socket.destroy();
    return {
      kind: 'failed',
      code: 'upstream_untrusted',
      detail: `${options.host} offers no TLS, and the client asked for it`,
      remedy: 'Set up TLS on the server, or connect without it (sslmode=disable).',
    };
  }
  if (!first.reached) return first.failure;
  const plain = await options.openUpstream();
  return plain.kind === 'failed' ? plain : { kind: 'open', socket: plain.socket, tls: false };
}

type Attempt =
  | { readonly kind: 'open'; readonly socket: Socket; readonly tls: boolean }
  /** `reached`: there is a server, but no TLS with it. */
  | {
      readonly kind: 'failed';
      readonly reached: boolean;
      readonly failure: Extract<SqlLeg, { readonly kind: 'failed' }>;
    };

async function attempt(options: SqlOptions): Promise<Attempt> {
  const { host, limits, signal } = options;
  const leg = await options.openUpstream();
  if (leg.kind === 'failed') return { kind: 'failed', reached: false, failure: leg };
  const { socket } = leg;
  socket.on('error', ignoreError);
  socket.write(TLS_REQUEST);
  const read = await readFirst({
    socket,
    initial: Buffer.alloc(0),
    parse: (bytes) => (bytes.length === 0 ? undefined : { value: String.fromCharCode(bytes[0]!), size: 1 }),
    time: limits.sqlStartTime,
    signal,
  });
  const refuse = (detail: string): Attempt => {
    socket.destroy();
    return { kind: 'failed', reached: true, failure: { kind: 'failed', code: 'upstream_protocol', detail } };
  };
  if (read.kind === 'failed') return refuse(`no answer of ${host} about TLS: ${read.reason}`);
  // Anything behind the answer was sent by somebody who cannot speak TLS for the server.
  if (read.rest.length > 0 || !'SN'.includes(read.value))
    return refuse(`${host} does not answer as PostgreSQL does`);
  if (read.value === 'N') return { kind: 'open', socket, tls: false };
  const secured = await options.secureUpstream(socket, ALPN);
  if (secured.kind === 'open') return { kind: 'open', socket: secured.socket, tls: true };
  socket.destroy();
  return { kind: 'failed', reached: true, failure: secured };
}
