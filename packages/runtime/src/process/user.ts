import { readFileSync } from 'node:fs';

/** Who the workload is, as the kernel outside sees it. Never 0. */
export interface WorkloadUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** What a policy may ask for: `process.run_as_user` and `run_as_group`. */
export interface RequestedUser {
  readonly user?: string;
  readonly group?: string;
}

/**
 * Ids for sandboxes that root starts: above what distributions and sub-id ranges hand out in practice, below 2²¹, which is what
 * old archive formats can say. Each sandbox takes one at random, so that two seldom
 * share a user; it owns nothing on any disk.
 */
const FIRST_ID = 2_000_000;
const ID_COUNT = 97_000;
const SANDBOX_NAME = 'sandbox';

const readLines = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return []; // without the file, nobody has a name
  }
};

const idOf = (lines: readonly string[], name: string): number | undefined => {
  const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
  const id = Number(fields?.[2]);
  return Number.isInteger(id) && id > 0 ? id : undefined;
};

const choose = (requested: string | undefined, lines: readonly string[], otherwise: number): number => {
  if (requested && /^[1-9][0-9]*$/.test(requested)) return Number(requested);
  return (requested && idOf(lines, requested)) || otherwise;
};

export interface UserPlan {
  readonly user: WorkloadUser;
  /** User and group lists in which the workload has a name, where the host's do not give it one. */
  readonly passwd?: Uint8Array;
  readonly group?: Uint8Array;
}

/** For root: the user that the policy names, or one that is nobody on the host. */
export const planUserForRoot = (requested: RequestedUser, home: string): UserPlan => {
  const users = readLines('/etc/passwd');
  const groups = readLines('/etc/group');
  const own = FIRST_ID + Math.floor(Math.random() * ID_COUNT);
  const uid = choose(requested.user, users, own);
  const gid = choose(requested.group, groups, own);
  const named = users.find((line) => line.split(':')[2] === String(uid))?.split(':')[0];
  const name = named ?? SANDBOX_NAME;
  const without = (lines: readonly string[], id: number): string[] =>
    lines.filter((line) => line.split(':')[2] !== String(id) && line.split(':')[0] !== name);
  const encode = (lines: readonly string[]): Uint8Array => Buffer.from(`${lines.join('\n')}\n`);
  return {
    user: { uid, gid, name },
    passwd: encode([...without(users, uid), `${name}:x:${uid}:${gid}:OpenShell sandbox:${home}:/bin/sh`]),
    group: encode([...without(groups, gid), `${name}:x:${gid}:`]),
  };
};

/** For an ordinary user: the user itself. */
export const planUserForUser = (uid: number, gid: number): UserPlan => {
  const name = readLines('/etc/passwd')
    .find((line) => line.split(':')[2] === String(uid))
    ?.split(':')[0];
  return { user: { uid, gid, name: name ?? String(uid) } };
};
