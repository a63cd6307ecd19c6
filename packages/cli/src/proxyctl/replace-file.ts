import { randomUUID } from 'node:crypto';
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf, OpenShellError } from '@openshell/base';

/**
 * Writes a file that has no secret in it, so that whoever reads it sees the old text or the new one. A pipe or a device is written to as it is.
 *
 * @throws OpenShellError with code `unwritable`.
 */
export const replaceFile = (path: string, text: string): void => {
  try {
    const present = statSync(path, { throwIfNoEntry: false });
    if (present === undefined) rename(path, text);
    // A link stays one.
    else if (present.isFile()) rename(realpathSync(path), text);
    else writeFileSync(path, text);
  } catch (cause) {
    throw new OpenShellError(`${path} cannot be written: ${messageOf(cause)}`, { code: 'unwritable', cause });
  }
};

const rename = (path: string, text: string): void => {
  const part = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    writeFileSync(part, text, { flag: 'wx', mode: 0o644 });
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
};
