import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';

/** An ordinary user: `nobody` where there is one, and a number without a name elsewhere. */
const UID = 65534;

/** Where the checkout is shown to the ordinary user when the real place is closed to it. In a mount namespace of its own. */
const SHOWN_AT = '/mnt';

/** A command that becomes the ordinary user, and where the checkout is for what it starts. */
export interface Unprivileged {
  readonly prefix: readonly string[];
  readonly root: string;
}

const SETPRIV = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'];

const canRead = (prefix: readonly string[], root: string): boolean => {
  const [program = '', ...args] = [...prefix, 'test', '-r', `${root}/packages/cli/src/main.ts`];
  return spawnSync(program, args, { cwd: '/' }).status === 0;
};

/**
 * How to run as an ordinary user from this checkout, starting as root. A checkout below a closed directory (such as
 * root's home) is shown at a place that can be entered, for that user's processes only.
 * Returns the reason where it cannot be done.
 */
export const planUnprivileged = (root: string): Unprivileged | string => {
  if (canRead(SETPRIV, root)) return { prefix: SETPRIV, root };
  const mountAndBecome = `mount --bind "$0" ${SHOWN_AT} && cd ${SHOWN_AT} && exec "$@"`;
  const prefix = [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    mountAndBecome,
    root,
    ...SETPRIV,
  ];
  if (canRead(prefix, SHOWN_AT)) return { prefix, root: SHOWN_AT };
  return `user ${UID} cannot read ${root} (setpriv, unshare and mount are needed, and files that everybody may read)`;
};

/** A directory that belongs to the ordinary user. */
export const makeOwnDirectory = (path: string): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, UID, UID);
};
