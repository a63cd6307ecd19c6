import type { Check, CheckStatus, MachineReport } from '@openshell/runtime';
import { wrap } from '../command/wrap.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';

const width = 100;
const statusColumn = 'optional'.length + 2;

/** A table with one check a line, the remedy of what is not there below it, and the verdict at its end. */
export const renderReport = ({ ready, checks }: MachineReport, style: Style): string => {
  const titleColumn = Math.max(...checks.map(({ title }) => title.length)) + 2;
  const lines = checks.map((check) => renderCheck(check, titleColumn, style));
  const verdict = ready
    ? style.green('openshell run works here, with everything enforced.')
    : style.red('openshell run does not work here until what is missing is remedied.');
  return `${lines.join('\n')}\n\n${verdict}\n`;
};

const renderCheck = (check: Check, titleColumn: number, style: Style): string => {
  const hanging = statusColumn + titleColumn;
  const fill = (text: string): string =>
    wrap(printable(text).split(' '), { width, indent: hanging, hanging });
  const head =
    paint(check.status, style) +
    ' '.repeat(statusColumn - check.status.length) +
    check.title.padEnd(titleColumn);
  const detail = head + fill(check.detail).slice(hanging);
  return check.remedy === undefined ? detail : `${detail}\n${style.dim(fill(check.remedy))}`;
};

const paint = (status: CheckStatus, style: Style): string => {
  switch (status) {
    case 'ok':
      return style.green(status);
    case 'missing':
      return style.red(status);
    case 'optional':
    case 'unknown':
      return style.yellow(status);
    default:
      return status satisfies never;
  }
};
