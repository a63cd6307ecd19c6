import {
  closeSync,
  fchmodSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { crypto } from '../builtin.ts';

/**
 * Writes a file that everybody may read, at once as a whole: whoever reads sees the old text or the new one. Nothing is written where
 * the text is there already. A pipe or a device is written to as it is. Throws the error of the file system.
 */
export function replaceFile(path: string, text: string): void {
  const present = statSync(path, { throwIfNoEntry: false });
  if (present === undefined) {
    rename(path, text);
  } else if (!present.isFile()) {
    writeFileSync(path, text);
  } else {
    // A link stays one.
    const target = realpathSync(path);
    if (readFileSync(target, 'utf8') !== text) rename(target, text);
  }
}

function rename(path: string, text: string): void {
  const part = join(dirname(path), `.${basename(path)}.${crypto().randomUUID()}`);
  const descriptor = openSync(part, 'wx', 0o644);
  try {
    try {
      writeFileSync(descriptor, text);
      // Whatever the umask is: clients of other users have to read it.
      fchmodSync(descriptor, 0o644);
    } finally {
      closeSync(descriptor);
    }
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}
