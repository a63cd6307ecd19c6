import { messageOf } from '@openshell/base';
import { ControlRefusal } from '@openshell/control';
import { formatAuthority } from '../http/authority.ts';
import type { ActivatedSockets } from '../program/listen/activation.ts';
import { listenAt } from '../program/listen/open.ts';
import type { Address, ListenWord } from '../program/options/address.ts';

/**
 * Finds out whether an address is free, and a port for it where any will do. Workers listen there with SO_REUSEPORT, by which another program of
 * the same user would get some of the connections: so nobody may listen there before. Throws `listen_failed`.
 */
export async function reserve({ host, port }: Address): Promise<Address> {
  const server = await listenAt({ host, port }).catch((thrown: unknown) => {
    throw new ControlRefusal(messageOf(thrown), {
      code: 'listen_failed',
      remedy: 'Choose an address of this machine and a port that is free and permitted.',
      cause: thrown,
    });
  });
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return { host, port: typeof address === 'object' && address !== null ? address.port : port };
}

/** Where workers find the sockets that were handed over: behind the four that every worker has. */
export const FIRST_DESCRIPTOR = 4;

/** The sockets that words name, in the order in which workers get them. Throws `listen_failed` for one that is not there. */
export const namedSockets = (words: readonly ListenWord[], activated: ActivatedSockets): readonly number[] =>
  words.flatMap((word) => (word.kind === 'descriptor' ? [...(activated.get(word.name) ?? [])] : []));

/** The words as workers read them, with the ports that were chosen, and what people are told. Throws `listen_failed`. */
export async function descriptorsOf(
  words: readonly ListenWord[],
  activated: ActivatedSockets,
): Promise<{ readonly own: readonly ListenWord[]; readonly addresses: readonly string[] }> {
  const own: ListenWord[] = [];
  const addresses: string[] = [];
  let next = FIRST_DESCRIPTOR;
  for (const word of words) {
    if (word.kind === 'address') {
      const address = await reserve(word);
      own.push({ kind: 'address', ...address });
      addresses.push(formatAuthority(address.host, address.port));
      continue;
    }
    for (const _ of socketsOf(word.name, activated)) {
      own.push({ kind: 'descriptor', name: String(next) });
      addresses.push(`fd:${word.name}`);
      next += 1;
    }
  }
  return { own, addresses };
}

function socketsOf(name: string, activated: ActivatedSockets): readonly number[] {
  const found = activated.get(name) ?? [];
  if (found.length > 0) return found;
  throw new ControlRefusal(`no socket fd:${name} was handed over`, {
    code: 'listen_failed',
    remedy: 'Start the proxy by a socket unit of systemd that has this name, or name an address.',
  });
}
