import { createReadStream } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';

/** Longer than any event; what is longer is none. In UTF-16 units. */
const MAX_LINE = 1_048_576;

/**
 * The lines of a file, or of standard input for `-`. The last one need not be ended: a run may have been killed while it wrote.
 *
 * @throws OpenShellError with code `unreadable`
 */
export async function* linesOf(operand: string): AsyncGenerator<string> {
  const stream =
    operand === '-' ? createReadStream('', { fd: 0, autoClose: false }) : createReadStream(operand);
  let rest = '';
  let tooLong = false;
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (!tooLong) yield line;
        tooLong = false;
      }
      if (rest.length <= MAX_LINE) continue;
      rest = '';
      tooLong = true;
    }
  } catch (cause) {
    if (cause instanceof OpenShellError) throw cause;
    throw new OpenShellError(`${operand === '-' ? '<stdin>' : operand} cannot be read: ${messageOf(cause)}`, {
      code: 'unreadable',
      cause,
    });
  } finally {
    stream.destroy();
  }
  if (rest !== '' && !tooLong) yield rest;
}
