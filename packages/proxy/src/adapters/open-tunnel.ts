import { isIP } from 'node:net';
import type { EgressRefusal } from '../egress.ts';
import type { Authority } from '../http/authority.ts';
import { inferenceMistake, isInference, mustOpen } from '../inspect/destinations.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { tunnel } from './tunnel.ts';

/** What is wrong with a destination of the proxy's own. */
export type DestinationMistake = Authority & NonNullable<ReturnType<typeof inferenceMistake>>;

/** A client that asked for a tunnel, in whatever protocol. */
export interface TunnelClient {
  readonly adapter: 'connect' | 'socks5';
  /** Tells it that the tunnel is there. */
  readonly established: Buffer;
  /** Its last words, and then the end. Resolve when the connection is closed. */
  refuse(refusal: EgressRefusal): Promise<void>;
  refuseMistake(mistake: DestinationMistake): Promise<void>;
}

export interface TunnelRequest {
  readonly client: TunnelClient;
  readonly destination: Authority;
  /** Bytes behind the request. */
  readonly initial: Buffer;
}

/** A tunnel to the destination that the client has named, if policy allows it. */
export async function openTunnel(
  connection: Connection,
  context: TenantContext,
  { client, destination, initial }: TunnelRequest,
): Promise<void> {
  const { adapter, established } = client;
  const { socket } = connection;
  const { port } = destination;
  // A program that looks names up itself asks for the address that it was given: what it means is the name.
  const host = context.names.nameOf(destination.host) ?? destination.host;
  if (isInference(host)) {
    const mistake = inferenceMistake(port);
    if (mistake !== undefined) return client.refuseMistake({ ...mistake, host, port });
    socket.write(established);
    return (await context.inspector()).openInference(connection, { adapter, initial });
  }
  const refuse = (refusal: EgressRefusal): Promise<void> => {
    context.reporter.refused(connection, refusal);
    return client.refuse(refusal);
  };
  const authorised = await context.egress.authorise(connection, adapter, { host, port });
  if (authorised.kind === 'refused') return refuse(authorised);
  connection.grant = authorised.grant;
  if (mustOpen(authorised.grant, context.settings())) {
    socket.write(established);
    return (await context.inspector()).open(connection, { initial });
  }
  const outcome = await context.egress.connect(connection);
  if (outcome.kind === 'gone') {
    socket.destroy();
    return;
  }
  if (outcome.kind === 'refused') return refuse(outcome);
  socket.write(established);
  tunnel(connection, context, {
    upstream: outcome.upstream,
    initial,
    guardedName: isIP(host) === 0 ? host : undefined,
  });
}
