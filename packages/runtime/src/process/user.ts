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

/** In Debian's range that no package uses (Debian policy 9.2.2); it owns nothing on the host. */
const SANDBOX_ID = 65000;
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

const choose = (requested: string | undefined, lines: readonly string[]): number => {
  if (requested && /^[1-9][0-9]*$/.test(requested)) return Number(requested);
  return idOf(lines, SANDBOX_NAME) ?? SANDBOX_ID;
};

export interface UserPlan {
  readonly user: WorkloadUser;
  /** User and group lists in which the workload has a name, where the host's do not give it one. */
  readonly passwd?: Uint8Array;
  readonly group?: Uint8Array;
}

/** For root: a user that is nobody on the host, by the policy's wish, called `sandbox`, or SANDBOX_ID. */
export const planUserForRoot = (requested: RequestedUser, home: string): UserPlan => {
  const users = readLines('/etc/passwd');
  const groups = readLines('/etc/group');
  const uid = choose(requested.user, users);
  const gid = choose(requested.group, groups);
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
  const name = readLines('/etc/passwd').find((line) => line.split(':')[2] === String(uid))?.split(':')[0];
  return { user: { uid, gid, name: name ?? String(uid) } };
};
