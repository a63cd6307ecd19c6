/** Between the titles of suites and test in a name. */
export const SUITE_MARK = ' › ';

/** How one test ended. What `reporter.ts` writes, one JSON line each, and `run-group.ts` reads. */
export interface TestResult {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** From the root of the repository. */
  readonly file: string;
  /** With the titles of the suites around it. */
  readonly name: string;
  /** Why it was skipped, or how it failed. */
  readonly detail?: string;
}

/** What a test file printed; shown when one of its tests fails. */
export interface TestOutput {
  readonly outcome: 'output';
  readonly file: string;
  readonly text: string;
}

export type ReporterLine = TestResult | TestOutput;
