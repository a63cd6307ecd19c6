import { once } from 'node:events';
import { lstatSync, realpathSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '@openshell/base';
import { ControlRefusal } from '../contract/refusal.ts';
import { isCertain, ownUid } from './own-users.ts';

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * A server on a Unix socket that only its own user and root can open (mode 0600), or anybody who gets to its directory where `open` says that
 * who connects is asked afterwards. Connections come paused. Throws `listen_failed`.
 */
export async function listenUnix(path: string, { open }: { readonly open: boolean }): Promise<Server> {
  checkDirectories(path);
  await removeStale(path);
  const server = createServer({ pauseOnConnect: true });
  // The socket never has another mode, not for a moment: `listen` makes it before it returns.
  const before = process.umask(open ? 0o111 : 0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(before);
  }
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw failed(path, messageOf(cause), 'Choose a path in a directory that the proxy can write.', cause);
  }
  return server;
}

/**
 * Nobody but the proxy's user and root can put another socket in its place: not in its directory, not by moving one above it, and not by
 * turning a link on the way to it.
 */
function checkDirectories(path: string): void {
  let place: string;
  try {
    place = realpathSync(dirname(path));
  } catch (cause) {
    throw failed(path, messageOf(cause), 'Make the directory first.', cause);
  }
  for (const one of upwards(dirname(resolve(path)))) check(path, one, lstatSync(one), false);
  for (const one of upwards(place)) check(path, one, statSync(one), one === place);
}

function check(path: string, place: string, stats: Stats, isParent: boolean): void {
  const why = whyUnsafe(stats, isParent);
  if (why === undefined) return;
  const remedy = 'Use a directory that only the proxy can write, such as one of its own below /run.';
  throw failed(path, `${place} ${why}`, remedy);
}

function* upwards(place: string): Generator<string> {
  yield place;
  if (place !== dirname(place)) yield* upwards(dirname(place));
}

const whyUnsafe = (stats: Stats, isParent: boolean): string | undefined => {
  const { mode, uid } = stats;
  if (uid !== 0 && uid !== ownUid() && isCertain(uid)) return `belongs to another user (${uid})`;
  // Where it leads is what is looked at, and the mode of a link says nothing.
  if (stats.isSymbolicLink()) return undefined;
  // In a directory like /tmp others cannot move what is not theirs, but they can be there first.
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (isParent || (mode & STICKY) === 0))
    return 'can be written by others';
  return undefined;
};

/** What an earlier start left behind is removed; what somebody still listens on, or is something else, is not. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw failed(path, 'there is something else, which is no socket', 'Remove it, or choose another path.');
  const attempt = connect({ path });
  try {
    await once(attempt, 'connect');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
      unlinkSync(path);
      return;
    }
    throw failed(path, messageOf(error), 'Remove it, or choose another path.', error);
  } finally {
    attempt.destroy();
  }
  throw failed(path, 'somebody listens there', 'Stop the other proxy, or choose another path.');
}

const failed = (path: string, why: string, remedy: string, cause?: unknown): ControlRefusal =>
  new ControlRefusal(`the control socket ${join(path)} cannot be made: ${why}`, {
    code: 'listen_failed',
    remedy,
    cause,
  });
