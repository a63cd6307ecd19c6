import type { Location } from '../ast/location.ts';
import type { RuleGroup } from '../compile/rule-tree.ts';
import { RegoError } from '../error.ts';
import type { Policy } from '../policy.ts';
import { type Coverage, coverageOf } from './coverage.ts';

export interface TestResult {
  /** As `data.a.test_b`. */
  readonly name: string;
  readonly location: Location;
  readonly outcome: 'pass' | 'fail' | 'error' | 'skip';
  readonly error?: RegoError;
  /** What the test printed. */
  readonly output: readonly string[];
}

export interface TestReport {
  readonly tests: readonly TestResult[];
  readonly coverage: Coverage;
}

export interface TestOptions {
  /** Runs only tests whose names it matches. */
  readonly only?: RegExp;
}

/** Runs the rules whose names begin with `test_`: each must be defined and not false. `todo_test_` is skipped. */
export const runTests = (policy: Policy, { only }: TestOptions = {}): TestReport => {
  const covered = new Set<Location>();
  const tests: TestResult[] = [];
  for (const group of policy.program.groups) {
    const kind = testKind(group);
    if (kind === undefined || only?.test(group.node.name) === false) continue;
    tests.push(kind === 'todo' ? skipped(group) : runTest(policy, group, covered));
  }
  tests.sort((a, b) => a.name.localeCompare(b.name));
  return { tests, coverage: coverageOf(policy.program, covered) };
};

const testKind = ({ node, kind }: RuleGroup): 'test' | 'todo' | undefined => {
  if (kind !== 'complete' || typeof node.key !== 'string') return undefined;
  if (node.key.startsWith('test_')) return 'test';
  return node.key.startsWith('todo_test_') ? 'todo' : undefined;
};

const placeOf = (group: RuleGroup): Location => group.sources[0]!.rule.location;

const skipped = (group: RuleGroup): TestResult => ({
  name: group.node.name,
  location: placeOf(group),
  outcome: 'skip',
  output: [],
});

const runTest = (policy: Policy, group: RuleGroup, covered: Set<Location>): TestResult => {
  const output: string[] = [];
  const { name } = group.node;
  const location = placeOf(group);
  try {
    const value = policy.query(name).value(undefined, { covered, print: (text) => output.push(text) });
    return { name, location, outcome: value === undefined || value === false ? 'fail' : 'pass', output };
  } catch (error) {
    if (!(error instanceof RegoError)) throw error;
    return { name, location, outcome: 'error', error, output };
  }
};
