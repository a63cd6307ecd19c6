import type { RuleNode } from '../compile/rule-tree.ts';
import { isObject, RegoObject, type Value } from '../value/index.ts';
import { type Evaluation, MISSING } from './evaluation.ts';
import type { Linker } from './linker.ts';

/**
 * The whole document at a node of the rule tree: what the rules define, over what data has there. An inner node is an
 * object even when nothing in it is defined.
 * @param base what data has at the node's path
 */
export const extent = (
  node: RuleNode,
  base: Value | undefined,
  evaluation: Evaluation,
  linker: Linker,
): Value | undefined => {
  if (evaluation.isShadowed(node.path)) return base;
  if (node.group !== undefined) return linker.document(node.group).value(evaluation);
  const cached = evaluation.extents.get(node);
  if (cached !== undefined) return cached === MISSING ? undefined : (cached as Value);
  const object = new RegoObject(isObject(base) ? base : []);
  for (const child of node.children.values()) {
    const below = isObject(base) ? base.get(child.key) : undefined;
    const value = extent(child, below, evaluation, linker);
    if (value !== undefined) object.set(child.key, value);
  }
  evaluation.extents.set(node, object);
  return object;
};
