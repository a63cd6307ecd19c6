import { readFileSync } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';

/** The text of a file of the operator's. Throws `operator_file_unreadable`; nothing of a content is ever in a message. */
export function readOperatorFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OpenShellError(`cannot read ${what} ${path}: ${messageOf(cause)}`, {
      code: 'operator_file_unreadable',
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
}
