// Starts a program of this checkout: `node start.mjs packages/NAME/src/PROGRAM.ts ARGUMENTS`.
//
// This file is JavaScript because Node.js takes some 50 ms to load its type stripper, and needs it only for files that
// are not in the compile cache: so the cache is turned on here, before the first TypeScript file is imported.
import { lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
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

const useCompileCache = (cache) => {
  const own = join(cache, 'openshell');
  if (!isOnlyOurs(dirname(cache))) return false;
  mkdirSync(own, { recursive: true, mode: 0o700 });
  if (!isOnlyOurs(cache) || !isOnlyOurs(own)) return false;
  enableCompileCache(own);
  return true;
};

/** In the checkout for who owns the checkout, with the user's other caches for everybody else. */
const places = [
  () => fileURLToPath(new URL('node_modules/.cache', root)),
  () => process.env.XDG_CACHE_HOME || join(userInfo().homedir, '.cache'),
];

const useSomeCompileCache = () => {
  for (const place of places) {
    try {
      if (useCompileCache(place())) return;
    } catch {
      // Missing, read-only, or a user without an entry: without a cache the program starts all the same, only slower.
    }
  }
};

/**
 * The bundle of a program (scripts/build.ts), while every source that it was made of is as it was then: a bundle that
 * does not say what the sources say is never run.
 */
const freshBundle = (program) => {
  try {
    const { programs, inputs } = JSON.parse(readFileSync(new URL('build/manifest.json', root), 'utf8'));
    const folder = fileURLToPath(root);
    const same = inputs.every(([path, time, size]) => {
      const { mtimeMs, size: now } = statSync(folder + path);
      return mtimeMs === time && now === size;
    });
    return same ? programs[program] : undefined;
  } catch {
    return undefined; // not built, or a source is gone: the sources are there to be run
  }
};

// Node.js answers SIGUSR1 with a debugger on the loopback, where every user of the machine could read this program's memory. A listener keeps it
// from that; programs that pass signals on add theirs. (Where none does, bin/ turns the debugger off altogether.)
process.on('SIGUSR1', () => {});

useSomeCompileCache();
const [program] = process.argv.splice(2, 1);
const entry = new URL(freshBundle(program) ?? program, root);
process.argv[1] = fileURLToPath(entry);
await import(entry.href);
