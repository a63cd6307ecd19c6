import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { messageOf } from '@openshell/base';
import { ControlRefusal } from '@openshell/control';
import { formatAuthority } from '../../http/authority.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Opens an address of a tenant's own. Throws `listen_failed`. */
export type Listen = (address: ListenAddress) => Promise<Server>;

/** Connections that may wait for the process to accept them; the kernel's own bound is often lower. */
const BACKLOG = 4096;

export const listenOn: Listen = async (address) => {
  const server = makeServer();
  await beginListening(server, address);
  return server;
};

/** For connections that are read by who gets them. */
export const makeServer = (): Server => createServer({ allowHalfOpen: true, pauseOnConnect: true });

/** `shared`: other processes of the same user may listen there, too (SO_REUSEPORT). Throws `listen_failed`. */
export async function beginListening(
  server: Server,
  { host, port }: ListenAddress,
  shared = false,
): Promise<void> {
  try {
    await once(
      server.listen({ host, port, backlog: BACKLOG, ...(shared && { reusePort: true }) }),
      'listening',
    );
  } catch (cause) {
    throw new ControlRefusal(`cannot listen on ${formatAuthority(host, port)}: ${messageOf(cause)}`, {
      code: 'listen_failed',
      remedy: 'Choose an address of this machine and a port that is free and permitted.',
      cause,
    });
  }
}

/** Opens all or none. Throws `listen_failed`. */
export async function listenOnAll(addresses: readonly ListenAddress[], listen: Listen): Promise<Server[]> {
  const results = await Promise.allSettled(addresses.map((address) => listen(address)));
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return servers;
  await closeAll(servers);
  throw failed.reason;
}

/** Takes no further connections. Those that are open go on; resolves when the last one has ended. */
export const closeAll = async (servers: readonly Server[]): Promise<void> => {
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
};

/** Where servers listen, with the ports that they were given. */
export const addressesOf = (servers: readonly Server[]): ListenAddress[] =>
  servers.flatMap((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null
      ? [{ host: address.address, port: address.port }]
      : [];
  });
