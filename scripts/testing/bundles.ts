import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from './processes.ts';

interface Manifest {
  readonly inputs: readonly (readonly [path: string, modifiedMs: number, size: number])[];
}

/** As bin/start.mjs asks it. */
const areFresh = (root: string): boolean =>
  attempt(() => {
    const { inputs } = JSON.parse(readFileSync(join(root, 'build/manifest.json'), 'utf8')) as Manifest;
    return inputs.every(([path, modifiedMs, length]) => {
      const { mtimeMs, size } = statSync(join(root, path));
      return mtimeMs === modifiedMs && size === length;
    });
  }) ?? false;

/**
 * Bundles the programs anew where a source has changed: the tests then start what users start, and a start from the sources takes three
 * times the processor time, for some hundred starts. Returns what is wrong. Without the bundler the sources are run, as `npm ci` has it.
 */
export const refreshBundles = (root: string): string | undefined => {
  if (!existsSync(join(root, 'node_modules/rolldown')) || areFresh(root)) return undefined;
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/build.ts')], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `the programs cannot be bundled: ${stderr.trim()}`;
};
