import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupFacts } from './facts.ts';

/** Which control groups there are, and whether this user can make one that limits the number of processes. */
export const inspectCgroups = (): CgroupFacts => {
  const mounts = parseCgroupMounts(readOrEmpty('/proc/self/mountinfo'));
  const pidsDirectory = findPidsDirectory(mounts, parseOwnGroups(readOrEmpty('/proc/self/cgroup')));
  return {
    layout: layoutOf(mounts),
    ...(pidsDirectory === undefined ? {} : { pidsDirectory }),
    writable: pidsDirectory !== undefined && isWritable(pidsDirectory),
  };
};

export interface CgroupMount {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** The group that is seen at the mount point. */
  readonly root: string;
  /** Of version 1. */
  readonly controllers: readonly string[];
}

/** The cgroup lines of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export const parseCgroupMounts = (mountinfo: string): readonly CgroupMount[] =>
  mountinfo.split('\n').flatMap((line): readonly CgroupMount[] => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '/', mountPoint = ''] = left.split(' ');
    const [type, , options = ''] = right.split(' ');
    if (type === 'cgroup2') return [{ version: 2, mountPoint, root, controllers: [] }];
    if (type === 'cgroup') return [{ version: 1, mountPoint, root, controllers: options.split(',') }];
    return [];
  });

/** This process's group in each hierarchy, by controller; version 2 by the empty name (cgroups(7)). */
export const parseOwnGroups = (text: string): ReadonlyMap<string, string> => {
  const groups = new Map<string, string>();
  for (const line of text.split('\n')) {
    const parts = /^\d+:([^:]*):(.*)$/.exec(line);
    for (const controller of parts?.[1]?.split(',') ?? []) groups.set(controller, parts![2]!);
  }
  return groups;
};

const layoutOf = (mounts: readonly CgroupMount[]): CgroupFacts['layout'] => {
  const has = (version: 1 | 2): boolean => mounts.some((mount) => mount.version === version);
  if (has(1)) return has(2) ? 'hybrid' : 'v1';
  return has(2) ? 'v2' : 'none';
};

const findPidsDirectory = (
  mounts: readonly CgroupMount[],
  own: ReadonlyMap<string, string>,
): string | undefined => {
  for (const mount of mounts) {
    const group = own.get(mount.version === 2 ? '' : 'pids');
    if (group === undefined) continue;
    const directory = join(
      mount.mountPoint,
      group.startsWith(mount.root) ? group.slice(mount.root.length) : group,
    );
    const controllers =
      mount.version === 2
        ? readOrEmpty(join(directory, 'cgroup.controllers')).trim().split(' ')
        : mount.controllers;
    if (controllers.includes('pids')) return directory;
  }
  return undefined;
};

const readOrEmpty = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // What is not there has no groups.
    return '';
  }
};

const isWritable = (directory: string): boolean => {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};
