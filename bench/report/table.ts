import { median, quantile, type Series } from '../measure/series.ts';
import { type Target, verdictOf } from '../measure/target.ts';
import type { TopicResult } from '../measure/topic.ts';

/** Digits enough to tell two results apart, and no more. */
export function shortNumber(value: number): string {
  if (Number.isNaN(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A markdown table whose columns line up in a terminal as well. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

function groupTable(group: string, series: readonly Series[], reference: string | undefined): string {
  const base = median(series.find(({ name }) => name === reference)?.values ?? []);
  const rows = series.map(({ name, unit, values }) => [
    name,
    `${shortNumber(median(values))} ${unit}`,
    `${shortNumber(quantile(values, 0.25))} to ${shortNumber(quantile(values, 0.75))}`,
    reference === undefined ? '' : `${shortNumber(median(values) / base)} ×`,
    String(values.length),
  ]);
  const ratio = reference === undefined ? '' : `to ${reference}`;
  return markdownTable([group, 'median', 'middle half', ratio, 'n'], rows);
}

function targetTable(targets: readonly Target[]): string {
  const rows = targets.map((target) => [
    target.what,
    `${target.bound} ${shortNumber(target.limit)} ${target.unit}`,
    `${shortNumber(target.value)} ${target.unit}`,
    verdictOf(target),
  ]);
  return markdownTable(['target', 'bound', 'now', ''], rows);
}

/** Everything that a topic found out, as markdown. */
export function renderTopic(title: string, result: TopicResult, notes: readonly string[]): string {
  const groups = [...new Set(result.series.map(({ group }) => group))];
  const tables = groups.map((group) => {
    const series = result.series.filter((one) => one.group === group);
    return groupTable(group, series, result.references[group]);
  });
  const parts = [`## ${title}`, ...tables];
  if (result.targets.length > 0) parts.push(targetTable(result.targets));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return parts.join('\n\n');
}
