import { readFileSync } from 'node:fs';
import type { Handler } from './handlers.ts';

/** The version of this package, which is that of all of OpenShell. */
export const openshellVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
};

export const printVersion: Handler = (_args, io) => {
  io.out(`openshell ${openshellVersion()}\n`);
  return 0;
};
