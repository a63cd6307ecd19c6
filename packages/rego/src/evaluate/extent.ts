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
    if (value !== undefined) object.set(child.key, child.group === undefined ? value : merged(value, below));
  }
  evaluation.extents.set(node, object);
  return object;
};

/** In a whole document data goes before rules, member by member; a rule that is asked for by its name does not care. */
const merged = (value: Value, base: Value | undefined): Value => {
  if (base === undefined) return value;
  if (!isObject(value) || !isObject(base)) return base;
  const object = new RegoObject(value);
  for (const [key, member] of base) {
    const own = value.get(key);
    object.set(key, own === undefined ? member : merged(own, member));
  }
  return object;
};
