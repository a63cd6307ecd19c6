import { RegoError } from '../error.ts';
import type { RuleNode } from './rule-tree.ts';

/** Refuses rules that define a part of what another rule defines as a whole: `p := 1` and `p.q := 2`. */
export const checkConflicts = (node: RuleNode, errors: RegoError[]): void => {
  const { group } = node;
  if (group !== undefined && group.kind !== 'object' && node.children.size > 0) {
    const others = [...node.children.values()]
      .flatMap((child) => [...child.groups()])
      .map((other) => other.node.name);
    if (others.length > 0) {
      const message = `rule ${node.name} conflicts with [${others.sort().join(' ')}]`;
      errors.push(new RegoError('rego_type_error', message, group.sources[0]!.rule.location));
    }
  }
  for (const child of node.children.values()) checkConflicts(child, errors);
};
