import manifest from '../package.json' with { type: 'json' };
import type { Handler } from './handlers.ts';

/** The version of this package, which is that of all of OpenShell. */
export const openshellVersion = (): string => manifest.version;

/** `openshell version`. */
export const printVersion: Handler = (_args, io) => {
  io.out(`openshell ${openshellVersion()}\n`);
  return 0;
};
