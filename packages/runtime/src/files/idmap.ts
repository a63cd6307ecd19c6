import type { IdMap } from '../spec/spec.ts';

/** Ids go up to 2³² − 2; the last one means "no id". */
const ID_COUNT = 0xffff_ffff;

/**
 * One id map that exchanges two ids and leaves every other one alone, in the form of user_namespaces(7):
 * "id on disk, id in the sandbox, count". So what `inside` creates belongs to `onDisk`, and the other way round.
 */
export const exchange = (onDisk: number, inside: number): string => {
  const [low, high] = onDisk < inside ? [onDisk, inside] : [inside, onDisk];
  const identity = (from: number, to: number): string[] =>
    to > from ? [`${from} ${from} ${to - from}`] : [];
  const swapped = low === high ? [`${low} ${low} 1`] : [`${low} ${high} 1`, `${high} ${low} 1`];
  return [...identity(0, low), ...swapped, ...identity(low + 1, high), ...identity(high + 1, ID_COUNT)].join(
    '\n',
  );
};

/** The maps of a mount on which the sandbox's user stands for the owner of the files. */
export const ownerMap = (
  owner: { uid: number; gid: number },
  inside: { uid: number; gid: number },
): IdMap => ({
  uidMap: exchange(owner.uid, inside.uid),
  gidMap: exchange(owner.gid, inside.gid),
});
