import type { RuleGroup, RuleNode } from '../compile/rule-tree.ts';
import type { DocumentRuntime } from './documents.ts';
import type { FunctionRuntime } from './functions.ts';

/** Finds what closures refer to; makes it when it is first asked for, so that unused rules cost nothing. */
export interface Linker {
  readonly tree: RuleNode;
  /** Whether a document depends on data alone. */
  isConstant(group: RuleGroup): boolean;
  document(group: RuleGroup): DocumentRuntime;
  function(group: RuleGroup): FunctionRuntime;
}
