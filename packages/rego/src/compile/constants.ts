import type { BuiltinDeclaration } from '../builtin.ts';
import type { RuleGroup, RuleNode } from './rule-tree.ts';
import { groupsAt, type Use, usesOf } from './uses.ts';

/**
 * The groups whose documents depend on data and other such groups alone. They are computed once for all evaluations
 * until data changes: what a policy prepares from data, say an index of endpoints by host, costs nothing per request.
 */
export const constantGroups = (groups: readonly RuleGroup[], tree: RuleNode): ReadonlySet<RuleGroup> => {
  const uses = new Map(groups.map((group) => [group, groupUses(group, tree)]));
  const varying = new Set(groups.filter((group) => uses.get(group)!.varies));
  // Whoever uses something that varies does as well; a work list, since chains of rules may be long.
  const users = new Map<RuleGroup, RuleGroup[]>();
  for (const [group, { used }] of uses) {
    for (const other of used) {
      const list = users.get(other) ?? [];
      list.push(group);
      users.set(other, list);
    }
  }
  const waiting = [...varying];
  for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
    for (const user of users.get(group) ?? []) {
      if (varying.has(user)) continue;
      varying.add(user);
      waiting.push(user);
    }
  }
  return new Set(groups.filter((group) => group.kind !== 'function' && !varying.has(group)));
};

interface GroupUses {
  readonly varies: boolean;
  readonly used: ReadonlySet<RuleGroup>;
}

const groupUses = (group: RuleGroup, tree: RuleNode): GroupUses => {
  const used = new Set<RuleGroup>();
  let varies = false;
  for (const rule of group.default === undefined ? group.rules : [...group.rules, group.default]) {
    for (const use of usesOf(rule)) {
      if (isVarying(use)) varies = true;
      if (use.type === 'function') used.add(use.group);
      if (use.type === 'data') for (const other of groupsAt(tree, use.path)) used.add(other);
    }
  }
  // An object that several groups make up is made of all of them.
  if (group.kind === 'object')
    for (const nested of group.node.groups()) if (nested !== group) used.add(nested);
  return { varies, used };
};

const isVarying = (use: Use): boolean => {
  switch (use.type) {
    case 'input':
    case 'with':
      return true;
    case 'builtin':
      return use.declaration.nondeterministic === true || speaks(use.declaration);
    case 'data':
    case 'function':
      return false;
    default:
      return use satisfies never;
  }
};

/** What is printed or traced shall be so each time. */
const speaks = ({ name }: BuiltinDeclaration): boolean =>
  name === 'internal.print' || name === 'print' || name === 'trace' || name === 'opa.runtime';
