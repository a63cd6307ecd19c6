import { type Coverage, compile, runTests, type TestReport, type TestResult } from '@openshell/rego';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import type { Handler } from '../handlers.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { withLibrary } from './library.ts';
import { renderErrors, reporting } from './report.ts';
import { readSources } from './sources.ts';
import { versionOf } from './version.ts';

/** `openshell rego test`: 0 when every test passes, 1 when one does not. */
export const testRego: Handler = async (args, io) => {
  const only = patternOf(args.value('run'));
  const { modules, data, version } = readSources(args.operands);
  const complete = await withLibrary(modules);
  return reporting(io, () => {
    const policy = compile(complete, { data, version: versionOf(args, version) });
    const report = runTests(policy, only === undefined ? {} : { only });
    if (report.tests.length === 0)
      throw usageError('there is no test to run', 'Tests are rules named test_….');
    io.out(args.has('json') ? renderJson(report, args) : renderText(report, args, io.outStyle));
    return report.tests.some(hasFailed) ? 1 : 0;
  });
};

const hasFailed = ({ outcome }: TestResult): boolean => outcome === 'fail' || outcome === 'error';

const patternOf = (text: string | undefined): RegExp | undefined => {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch (cause) {
    throw usageError(`--run: ${(cause as Error).message}`);
  }
};

const renderText = ({ tests, coverage }: TestReport, args: Arguments, style: Style): string => {
  const shown = args.has('verbose') ? tests : tests.filter(({ outcome }) => outcome !== 'pass');
  const failed = tests.filter(hasFailed).length;
  const skipped = tests.filter(({ outcome }) => outcome === 'skip').length;
  const passed = tests.length - failed - skipped;
  const summary = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
  return [
    ...shown.map((test) => renderTest(test, style)),
    `${failed > 0 ? style.red(summary) : style.green(summary)}\n`,
    ...(args.has('coverage') ? [renderCoverage(coverage)] : []),
  ].join('');
};

const renderTest = ({ name, location, outcome, error, output }: TestResult, style: Style): string => {
  const place = `${printable(location.source.file)}:${location.row}:${location.column}`;
  const word =
    outcome === 'pass'
      ? style.green(outcome)
      : outcome === 'skip'
        ? style.yellow(outcome)
        : style.red(outcome);
  const printed = output.map((line) => `    ${printable(line)}\n`).join('');
  return `${place}: ${word}: ${printable(name)}\n${printed}${error === undefined ? '' : renderErrors([error])}`;
};

const renderCoverage = ({ files, percent }: Coverage): string => {
  const lines = Object.entries(files).map(([file, { percent: own, notCovered }]) => {
    const rest = notCovered.length === 0 ? '' : `, not reached: ${ranges(notCovered)}`;
    return `${printable(file)}: ${own} %${rest}\n`;
  });
  return `${lines.join('')}coverage: ${percent} %\n`;
};

/** `3, 7-9`. */
const ranges = (numbers: readonly number[]): string => {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
};

const renderJson = ({ tests, coverage }: TestReport, args: Arguments): string => {
  const shown = tests.map(({ name, location, outcome, error, output }) => ({
    name,
    outcome,
    file: location.source.file,
    line: location.row,
    ...(error === undefined ? {} : { error: error.line }),
    output,
  }));
  return `${JSON.stringify({ tests: shown, ...(args.has('coverage') ? { coverage } : {}) }, null, 2)}\n`;
};
