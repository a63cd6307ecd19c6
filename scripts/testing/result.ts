/** Between the titles of suites and test in a name. */
export const SUITE_MARK = ' › ';

/** How one test ended. */
export interface TestResult {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** From the root of the repository. */
  readonly file: string;
  /** With the titles of the suites around it. */
  readonly name: string;
  /** Why it was skipped, or how it failed. */
  readonly detail?: string;
}
