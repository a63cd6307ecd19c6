/** Bounds of one evaluation. Whatever a policy does, it ends within them, with a value or a clear error. */
export interface Limits {
  /** Statements, iterations and units of work of built-ins. */
  readonly maxSteps: number;
  /** Elements of all sets, objects and arrays that are made. */
  readonly maxElements: number;
  /** Longest string that a built-in makes, in UTF-16 units. */
  readonly maxStringLength: number;
  /** Most solutions of a query. */
  readonly maxResults: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxSteps: 10_000_000,
  maxElements: 2_000_000,
  maxStringLength: 16 * 1024 * 1024,
  maxResults: 100_000,
};
