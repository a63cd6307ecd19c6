import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OpenShellError } from '@openshell/base';

const built = fileURLToPath(new URL('../../build/openshell-launcher', import.meta.url));

/**
 * Path of the launcher program.
 * @throws OpenShellError `launcher_missing` when it was not built.
 */
export const launcherPath = (): string => {
  if (!existsSync(built)) {
    throw new OpenShellError(`the launcher is not built (${built} is missing)`, {
      code: 'launcher_missing',
      remedy: "Install a C compiler (Debian: apt-get install gcc libc6-dev) and run 'npm ci' again.",
    });
  }
  return built;
};
