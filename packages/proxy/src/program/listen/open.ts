import { once } from 'node:events';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { messageOf, OpenShellError } from '@openshell/base';
import { formatAuthority } from '../../http/authority.ts';
import { type Address, everywhere, type ListenWord } from '../options/address.ts';
import type { ActivatedSockets } from './activation.ts';

const BACKLOG = 4096;

/** `one-of-several`: other processes of this proxy listen there, too, and the kernel spreads connections over them (SO_REUSEPORT). */
export type Sharing = 'alone' | 'one-of-several';

/** Opens what a word on the command line stands for. Throws `listen_failed`; what was opened is closed then. */
export async function openListeners(
  words: readonly ListenWord[],
  activated: ActivatedSockets,
  sharing: Sharing = 'alone',
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  try {
    for (const word of words)
      for (const where of placesOf(word, activated)) servers.push(await open(where, sharing));
  } catch (thrown) {
    for (const server of servers) server.close();
    throw thrown;
  }
  return servers;
}

/** Listens at one address. Throws `listen_failed`. */
export const listenAt = (address: Address, sharing: Sharing = 'alone'): Promise<Server> =>
  open({ name: formatAuthority(address.host, address.port), options: everywhere(address) }, sharing);

/** `127.0.0.1:3128`, or whatever a socket that was handed over is bound to. */
export function addressOf(server: Server): string {
  const address = server.address();
  if (address === null) return '';
  return typeof address === 'string' ? address : formatAuthority(address.address, address.port);
}

interface Place {
  readonly name: string;
  readonly options: ListenOptions & { readonly fd?: number };
}

function placesOf(word: ListenWord, activated: ActivatedSockets): readonly Place[] {
  if (word.kind === 'address') {
    const { host, port } = word;
    return [{ name: formatAuthority(host, port), options: everywhere({ host, port }) }];
  }
  const descriptors = activated.get(word.name) ?? [];
  if (descriptors.length > 0) return descriptors.map((fd) => ({ name: `fd:${word.name}`, options: { fd } }));
  const known = [...activated.keys()].map((name) => `fd:${name}`).join(', ');
  throw new OpenShellError(`no socket fd:${word.name} was handed over`, {
    code: 'listen_failed',
    remedy:
      known === ''
        ? 'None was: start the proxy by a socket unit of systemd, or name an address.'
        : `These were: ${known}.`,
  });
}

async function open({ name, options }: Place, sharing: Sharing): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  try {
    const reusePort = sharing === 'one-of-several' && options.fd === undefined;
    await once(server.listen({ ...options, backlog: BACKLOG, ...(reusePort && { reusePort }) }), 'listening');
  } catch (cause) {
    throw new OpenShellError(`cannot listen on ${name}: ${messageOf(cause)}`, {
      code: 'listen_failed',
      cause,
      remedy:
        options.fd === undefined
          ? 'Choose an address of this machine and a port that is free and permitted.'
          : 'Hand over a listening stream socket (ListenStream= of a socket unit, Accept=no).',
    });
  }
  return server;
}
