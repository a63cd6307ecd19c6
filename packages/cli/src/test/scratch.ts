import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory of the test's own, gone when the test has ended. */
export const scratch = (test: TestContext): string => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'openshell-cli-')));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
