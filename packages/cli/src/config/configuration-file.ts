import { closeSync, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { messageOf, OpenShellError } from '@openshell/base';
import type { Io } from '../io.ts';
import { type Configuration, noConfiguration } from './configuration.ts';

/** Far more than anybody writes by hand. */
const largestFile = 1024 * 1024;

/**
 * Reads the operator's configuration, where there is one.
 *
 * It can send traffic to any address and make any authority trusted: so it must be a file that nobody but this user
 * (or root) can have written.
 *
 * @throws OpenShellError with code `configuration`, naming the file and the line.
 */
export const loadConfiguration = async (env: Io['env']): Promise<Configuration> => {
  const file = configurationPath(env);
  const text = file === undefined ? undefined : readTrusted(file);
  if (file === undefined || text === undefined) return noConfiguration;
  const { parseConfiguration } = await import('./parse-configuration.ts');
  return parseConfiguration(text, file);
};

/** XDG Base Directory Specification: a relative path counts as not set. */
const configurationPath = (env: Io['env']): string | undefined => {
  const given = env.XDG_CONFIG_HOME;
  const home = homeOfEffectiveUser(env);
  const base = given && isAbsolute(given) ? given : home && join(home, '.config');
  return base && join(base, 'openshell', 'config.toml');
};

/** Not $HOME, which sudo may leave as the caller's: root must not do what an ordinary user's file says. */
const homeOfEffectiveUser = (env: Io['env']): string | undefined => {
  try {
    return userInfo().homedir;
  } catch {
    // A user without an entry in the user database, as containers have them.
    return env.HOME;
  }
};

/** The same open file is judged and read, so that it cannot be exchanged in between. */
const readTrusted = (file: string): string | undefined => {
  const descriptor = open(file);
  if (descriptor === undefined) return undefined;
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw refuse(file, 'it is not a regular file');
    checkOwner(file, stats);
    checkOwner(dirname(file), statSync(dirname(file)));
    if (stats.size > largestFile) throw refuse(file, `it is larger than ${largestFile} bytes`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
};

const open = (file: string): number | undefined => {
  try {
    return openSync(file, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // The home directory of a user who may not even enter it holds nothing of this user's.
    if (code === 'EACCES' && !canSee(file)) return undefined;
    throw refuse(file, messageOf(error));
  }
};

const canSee = (file: string): boolean => {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
};

const checkOwner = (path: string, { uid, mode }: Stats): void => {
  if (uid !== 0 && uid !== process.geteuid?.()) {
    throw refuse(path, 'it belongs to another user', 'Make it your own, or point XDG_CONFIG_HOME elsewhere.');
  }
  if ((mode & 0o022) !== 0)
    throw refuse(path, 'others than its owner can write it', `Run: chmod go-w ${path}`);
};

const refuse = (path: string, why: string, remedy?: string): OpenShellError =>
  new OpenShellError(`the configuration ${path} is not used: ${why}`, {
    code: 'configuration',
    ...(remedy === undefined ? {} : { remedy }),
  });
