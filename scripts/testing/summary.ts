import type { TestResult } from './result.ts';

/** The results of one group, counted. */
export class GroupTally {
  readonly title: string;
  readonly results: TestResult[] = [];
  seconds = 0;

  constructor(title: string) {
    this.title = title;
  }

  count(outcome: TestResult['outcome']): number {
    return this.results.filter((result) => result.outcome === outcome).length;
  }
}

const where = ({ file, name }: TestResult): string => (file ? `${file}: ${name}` : name);

const indent = (text: string): string => text.replaceAll(/^/gm, '      ');

/** A failed test, as it is told when it happens and again at the end. */
export const formatFailure = (result: TestResult): string =>
  `FAILED  ${where(result)}\n${indent(result.detail ?? '')}`;

/** Skips with one reason in one file are one line. */
const skippedLines = (tally: GroupTally): string[] => {
  const lines = new Map<string, string[]>();
  for (const result of tally.results.filter(({ outcome }) => outcome === 'skipped')) {
    const key = `${result.file}: ${result.detail}`;
    lines.set(key, [...(lines.get(key) ?? []), result.name]);
  }
  return [...lines].map(([key, names]) => `  ${key}\n      ${names.join('\n      ')}`);
};

const totals = (tallies: readonly GroupTally[], problems: number): Record<TestResult['outcome'], number> => {
  const sum = (outcome: TestResult['outcome']): number =>
    tallies.reduce((all, tally) => all + tally.count(outcome), 0);
  return { passed: sum('passed'), failed: sum('failed') + problems, skipped: sum('skipped') };
};

/** Everything that a person wants to know at the end; the last line is the plain one. */
export const formatSummary = (tallies: readonly GroupTally[], problems: readonly string[]): string => {
  const failures = tallies.flatMap((tally) => tally.results.filter(({ outcome }) => outcome === 'failed'));
  const skips = tallies.flatMap((tally) =>
    skippedLines(tally).map((line) => `${line}\n      (${tally.title})`),
  );
  const rows = tallies.map((tally) => {
    const counts = (['passed', 'failed', 'skipped'] as const).map(
      (outcome) => `${tally.count(outcome)} ${outcome}`,
    );
    return `  ${tally.title}: ${counts.join(', ')} (${tally.seconds.toFixed(1)} s)`;
  });
  const { passed, failed, skipped } = totals(tallies, problems.length);
  return [
    ...(failures.length > 0 ? ['\nFailed:', ...failures.map((result) => `  ${where(result)}`)] : []),
    ...(skips.length > 0 ? ['\nSkipped, and why:', ...skips] : []),
    ...(problems.length > 0
      ? ['\nWrong apart from the tests:', ...problems.map((problem) => `  ${problem}`)]
      : []),
    '\nGroups:',
    ...rows,
    '',
    `${passed} passed, ${failed} failed, ${skipped} skipped`,
  ].join('\n');
};

export const hasFailed = (tallies: readonly GroupTally[], problems: readonly string[]): boolean =>
  problems.length > 0 || tallies.some((tally) => tally.count('failed') > 0);
