// Starts a program of this checkout: `node start.mjs packages/NAME/src/PROGRAM.ts ARGUMENTS`.
//
// This file is JavaScript because Node.js takes some 50 ms to load its type stripper, and needs it only for files that
// are not in the compile cache: so the cache is turned on here, before the first TypeScript file is imported.
import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

/**
 * What is read from the cache runs as this user's code. So it is used only where nobody else could have put something:
 * every directory is real, the current user's own, and writable by nobody else.
 */
const isOnlyOurs = (directory) => {
  const { uid, mode } = lstatSync(directory);
  return uid === process.geteuid() && (mode & 0o022) === 0;
};

const useCompileCache = (base) => {
  const cache = `${base}/.cache`;
  const own = `${cache}/openshell`;
  if (!isOnlyOurs(base)) return false;
  mkdirSync(own, { recursive: true, mode: 0o700 });
  if (!isOnlyOurs(cache) || !isOnlyOurs(own)) return false;
  enableCompileCache(own);
  return true;
};

/** The checkout's cache for who owns the checkout, one in the home directory for everybody else. */
const useSomeCompileCache = () => {
  for (const base of [() => fileURLToPath(new URL('node_modules', root)), () => userInfo().homedir]) {
    try {
      if (useCompileCache(base())) return;
    } catch {
      // Missing, read-only, or a user without an entry: without a cache the program starts all the same, only slower.
    }
  }
};

useSomeCompileCache();
const [program] = process.argv.splice(2, 1);
const entry = new URL(program, root);
process.argv[1] = fileURLToPath(entry);
await import(entry.href);
