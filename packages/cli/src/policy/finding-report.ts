import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';

/** What is shown about one place in a policy. */
export interface Finding {
  readonly label: 'error' | 'notice';
  readonly message: string;
  readonly fix?: string;
  /** As in `network_policies.github.endpoints[0].host`. */
  readonly path: string;
  /** From 1; absent where there is no place in the text. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
}

/** The text that the findings are about. */
export interface Source {
  readonly file: string;
  readonly lines: readonly string[];
}

/** The columns of a source line that are shown. */
const widest = 120;

/**
 * One finding, as compilers print theirs: `file:line:column: error: message`, the line with a mark under the column,
 * and the fix.
 */
export const renderFinding = (finding: Finding, source: Source, style: Style): string => {
  const place = [source.file, finding.line, finding.column].filter((part) => part !== undefined).join(':');
  const label = finding.label === 'error' ? style.red('error:') : style.yellow(`${finding.label}:`);
  const path = finding.path === '' ? '' : style.dim(` [${printable(finding.path)}]`);
  return [
    `${style.bold(`${printable(place)}:`)} ${label} ${printable(finding.message)}${path}`,
    ...excerpt(finding, source, style),
    ...(finding.fix === undefined ? [] : [`  fix: ${printable(finding.fix)}`]),
  ]
    .join('\n')
    .concat('\n');
};

const excerpt = ({ line, column }: Finding, { lines }: Source, style: Style): readonly string[] => {
  const text = line === undefined ? undefined : lines[line - 1];
  if (line === undefined || text === undefined) return [];
  const number = String(line).padStart(5);
  const start = Math.max(0, (column ?? 1) - 1 - Math.floor(widest / 2));
  const shown = printable(text.slice(start, start + widest));
  const mark =
    column === undefined
      ? []
      : [`${' '.repeat(number.length)} | ${blanks(text.slice(start, column - 1))}${style.red('^')}`];
  return [`${style.dim(`${number} |`)} ${shown}`, ...mark];
};

/** As wide as the text in front of the mark is shown. */
const blanks = (before: string): string => ' '.repeat(printable(before).length);
