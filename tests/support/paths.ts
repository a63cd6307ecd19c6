import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, without a final slash. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export const OPENSHELL = `${ROOT}/bin/openshell`;

/** The folder of the pinned Node.js: a policy that lists it shows `process.execPath` inside. */
export const NODE_DIRECTORY = dirname(process.execPath);

export const isRoot = process.geteuid?.() === 0;

/** A reason to skip, or false: for the options of a test. */
export const needsRoot = (what: string): string | false => (isRoot ? false : `needs root: ${what}`);

const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where the system keeps a program; undefined where it is not installed. Programs of a home directory do not count. */
export const systemProgram = (name: string): string | undefined =>
  SYSTEM_PATH.map((directory) => `${directory}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false; // not in this directory
    }
  });

/** A reason to skip, or false, for a test that needs a program of the system. */
export const needsProgram = (name: string): string | false =>
  systemProgram(name) ? false : `${name} is not installed`;
