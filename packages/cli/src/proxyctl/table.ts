import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';

/** Rows below a heading, each column as wide as its widest cell. */
export const renderTable = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
): string => {
  const cells = rows.map((row) => row.map(printable));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [style.bold(line(head)), ...cells.map(line), ''].join('\n');
};

/** A time as every table has it: RFC 3339, UTC, to the second. */
export const timeText = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.[0-9]{3}Z$/, 'Z');

/** For programs. */
export const jsonText = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;
