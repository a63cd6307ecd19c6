import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OpenShellError } from '@openshell/base';

/**
 * Path of the launcher program.
 * @throws OpenShellError `launcher_missing` when it was not built.
 */
export const launcherPath = (): string => {
  // By the package's name and not by this file's place: that works from a bundle too.
  const built = fileURLToPath(import.meta.resolve('@openshell/runtime/launcher'));
  if (!existsSync(built)) {
    throw new OpenShellError(`the launcher is not built (${built} is missing)`, {
      code: 'launcher_missing',
      remedy: "Install a C compiler (Debian: apt-get install gcc libc6-dev) and run 'npm ci' again.",
    });
  }
  return built;
};
