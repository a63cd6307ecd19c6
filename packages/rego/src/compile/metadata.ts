import type { Annotations } from '../ast/annotations.ts';
import type { Module, Rule } from '../ast/module.ts';
import { fromJson, type Json, RegoObject, type Value } from '../value/index.ts';
import type { Metadata } from './expand.ts';
import { pathName, type RuleGroup } from './rule-tree.ts';

/** What `rego.metadata.chain()` and `rego.metadata.rule()` are in a rule. */
export const metadataOf = (
  rule: Rule,
  module: Module,
  group: RuleGroup,
  modules: readonly Module[],
): Metadata => ({
  chain: () => chainOf(rule, module, group, modules),
  rule: () => {
    const own = ownAnnotations(rule)[0];
    return own === undefined ? new RegoObject() : fieldsOf(own);
  },
});

/** The blocks of scope `rule`, the closest first. */
const ownAnnotations = (rule: Rule): readonly Annotations[] =>
  rule.annotations.filter(({ scope }) => scope === 'rule').toReversed();

/** From the rule outwards: its own blocks, its document's, its package's, those for all packages below one. */
const chainOf = (rule: Rule, module: Module, group: RuleGroup, modules: readonly Module[]): Value => {
  const path = [...module.package.path, ...rulePath(rule)];
  const all = modules.flatMap(({ annotations }) => annotations);
  const own = ownAnnotations(rule);
  const entries: Value[] = own.length === 0 ? [entry(path)] : own.map((block) => entry(path, block));
  const name = group.node.name;
  for (const block of all) {
    if (block.scope === 'document' && pathName(block.target ?? []) === name) entries.push(entry(path, block));
  }
  const packages = module.package.path;
  const ofPackage = (scope: string, length: number) => (block: Annotations) =>
    block.scope === scope &&
    block.target?.length === length &&
    block.target.every((part, at) => part === packages[at]);
  for (const block of all.filter(ofPackage('package', packages.length))) entries.push(entry(packages, block));
  for (let length = packages.length; length > 0; length -= 1) {
    for (const block of all.filter(ofPackage('subpackages', length)))
      entries.push(entry(packages.slice(0, length), block));
  }
  return entries;
};

const rulePath = (rule: Rule): readonly string[] => {
  const { head, path } = rule.head.ref;
  const names = head.type === 'var' ? [head.name] : [];
  for (const part of path)
    names.push(part.type === 'scalar' ? String(part.value) : part.type === 'var' ? part.name : '');
  return names;
};

const entry = (path: readonly string[], block?: Annotations): Value => {
  const object = new RegoObject([['path', [...path]]]);
  if (block !== undefined) object.set('annotations', fieldsOf(block));
  return object;
};

const fieldsOf = (block: Annotations): Value => fromJson(block.fields as Json);
