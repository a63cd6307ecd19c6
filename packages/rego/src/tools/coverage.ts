import type { Location } from '../ast/location.ts';
import type { CoreBody, CoreRule } from '../compile/core.ts';
import type { Program } from '../compile/program.ts';
import { exprBodies } from '../compile/variables.ts';

export interface Coverage {
  readonly files: Readonly<Record<string, FileCoverage>>;
  /** Of all lines that could be covered, in percent. */
  readonly percent: number;
}

export interface FileCoverage {
  /** Numbers of lines, from 1, on which a rule or a statement begins. */
  readonly covered: readonly number[];
  readonly notCovered: readonly number[];
  readonly percent: number;
}

/** Which rules and statements of a program were reached. */
export const coverageOf = (program: Program, reached: ReadonlySet<Location>): Coverage => {
  const lines = new Map<string, Map<number, boolean>>();
  for (const location of placesOf(program)) mark(lines, location, false);
  for (const location of reached) mark(lines, location, true);
  const files: Record<string, FileCoverage> = {};
  let covered = 0;
  let all = 0;
  for (const [file, rows] of lines) {
    files[file] = fileCoverage(rows);
    covered += files[file].covered.length;
    all += rows.size;
  }
  return { files, percent: percentage(covered, all) };
};

const mark = (
  lines: Map<string, Map<number, boolean>>,
  { source, row }: Location,
  reached: boolean,
): void => {
  // Queries have no file; they are nobody's policy.
  if (source.file === '') return;
  const rows = lines.get(source.file) ?? new Map<number, boolean>();
  rows.set(row, reached || rows.get(row) === true);
  lines.set(source.file, rows);
};

const fileCoverage = (rows: ReadonlyMap<number, boolean>): FileCoverage => {
  const sorted = [...rows].sort(([a], [b]) => a - b);
  const covered = sorted.filter(([, reached]) => reached).map(([row]) => row);
  const notCovered = sorted.filter(([, reached]) => !reached).map(([row]) => row);
  return { covered, notCovered, percent: percentage(covered.length, rows.size) };
};

const percentage = (part: number, whole: number): number =>
  whole === 0 ? 100 : Math.round((part / whole) * 1000) / 10;

const placesOf = function* (program: Program): Generator<Location> {
  for (const group of program.groups) {
    for (const rule of group.default === undefined ? group.rules : [...group.rules, group.default])
      yield* ofRule(rule);
  }
};

const ofRule = function* (rule: CoreRule): Generator<Location> {
  for (let link: CoreRule | undefined = rule; link !== undefined; link = link.else) {
    yield link.location;
    yield* ofBody(link.body);
  }
};

const ofBody = function* (body: CoreBody): Generator<Location> {
  for (const expr of body) {
    yield expr.location;
    for (const inner of exprBodies(expr)) yield* ofBody(inner);
  }
};
