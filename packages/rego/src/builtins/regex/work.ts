/** Accounts for work in steps; it throws to end a search that takes too long. */
export interface Spender {
  spend(steps: number): void;
}

/** How many instructions are followed in one step of the evaluation's budget. */
export const WORK_A_STEP = 256;
