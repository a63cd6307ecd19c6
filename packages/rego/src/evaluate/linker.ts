import type { RuleGroup, RuleNode } from '../compile/rule-tree.ts';
import type { Value } from '../value/index.ts';
import type { DocumentRuntime } from './documents.ts';
import type { FunctionRuntime } from './functions.ts';

/** Finds what closures refer to; makes it when it is first asked for, so that unused rules cost nothing. */
export interface Linker {
  readonly tree: RuleNode;
  /** Whether a document depends on data alone. */
  isConstant(group: RuleGroup): boolean;
  /** The number of a constant path into the input, the same wherever it is written. */
  inputPath(path: readonly Value[]): number;
  document(group: RuleGroup): DocumentRuntime;
  function(group: RuleGroup): FunctionRuntime;
}
