import { RegoError } from '@openshell/rego';
import type { Io } from '../io.ts';
import { printable } from '../output/printable.ts';

/** Errors as `file:line:column: code: message`, the offending line, and a mark below the column. */
export const renderErrors = (errors: readonly RegoError[]): string =>
  errors.map((error) => `${error.describe().split('\n').map(shown).join('\n')}\n`).join('');

/** A file may hold anything; a terminal must not obey it. The tab in front of a line of source is ours. */
const shown = (line: string): string =>
  line.startsWith('\t') ? `    ${printable(line.slice(1).replaceAll('\t', '    '))}` : printable(line);

/**
 * Does the work of a command; what is wrong with the rules is told on standard error, with exit code 1.
 */
export const reporting = (io: Io, work: () => number): number => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    io.err(renderErrors(error.all));
    return 1;
  }
};
