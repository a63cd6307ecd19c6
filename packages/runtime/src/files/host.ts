import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What a path of the host is, after following its symbolic links. */
export interface HostPath {
  /** No component is a symbolic link. */
  readonly real: string;
  readonly kind: 'file' | 'directory' | 'device';
  readonly uid: number;
  readonly gid: number;
  /** Every symbolic link on the way: where it stands and what it says. */
  readonly links: ReadonlyMap<string, string>;
}

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** What may be wrong with a path that somebody wrote down: then nothing is there that could be shown. */
const NOTHING_THERE = ['ENOTDIR', 'EACCES', 'ENAMETOOLONG'];

const lookAt = (path: string): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (NOTHING_THERE.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
};

/** Resolves a path component by component, remembering the links. Undefined where nothing is there. */
export const lookUpHostPath = (path: string): HostPath | undefined => {
  const links = new Map<string, string>();
  let pending = path.split('/').filter(Boolean);
  let real = '';
  // Counted, not taken from `links`: in a circle the same ones come again.
  let followed = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    const next = `${real}/${name}`;
    const info = lookAt(next);
    if (!info) return undefined;
    if (!info.isSymbolicLink()) {
      real = next;
      continue;
    }
    followed += 1;
    if (followed > MAX_LINKS) return undefined;
    const text = readlinkSync(next);
    links.set(next, text);
    pending = [...resolve(dirname(next), text).split('/').filter(Boolean), ...pending];
    real = '';
  }
  const info = lstatSync(real || '/');
  const kind = info.isDirectory()
    ? 'directory'
    : info.isCharacterDevice() || info.isBlockDevice()
      ? 'device'
      : 'file';
  return { real: real || '/', kind, uid: info.uid, gid: info.gid, links };
};
