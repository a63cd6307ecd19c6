import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Root directory of the checkout that is measured. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Path of one of its programs. */
export const program = (name: string): string => `${ROOT}bin/${name}`;

/** Brings the programs' bundles up to date: a checkout whose sources are newer starts them from the sources, and slower. */
export function buildPrograms(): void {
  execFileSync(process.execPath, [`${ROOT}scripts/build.ts`], { stdio: 'ignore', cwd: ROOT });
}
