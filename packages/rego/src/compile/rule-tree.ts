import type { Module, Rule } from '../ast/module.ts';
import { RegoError } from '../error.ts';
import { format, type Key, keyOf, RegoObject, type Value } from '../value/index.ts';
import type { CoreRule } from './core.ts';

/** A rule as written, with its module. */
export interface RuleSource {
  readonly rule: Rule;
  readonly module: Module;
}

export type GroupKind =
  /** One value: `p := 1`. */
  | 'complete'
  /** `f(x) := …` */
  | 'function'
  /** `p contains x` */
  | 'set'
  /** The rest of the head has variables: `p[x] := y`, `p[x].q contains z`. */
  | 'object';

/** All rules with the same constant path. */
export class RuleGroup {
  readonly id: number;
  readonly node: RuleNode;
  readonly kind: GroupKind;
  readonly sources: readonly RuleSource[];
  readonly arity: number;
  /** Filled by the compiler. */
  rules: readonly CoreRule[] = [];
  default: CoreRule | undefined;

  constructor(id: number, node: RuleNode, kind: GroupKind, sources: readonly RuleSource[]) {
    this.id = id;
    this.node = node;
    this.kind = kind;
    this.sources = sources;
    this.arity = sources[0]?.rule.head.args?.length ?? 0;
  }
}

/** A place below `data` that rules define, or that has such places below it. */
export class RuleNode {
  readonly path: readonly Value[];
  readonly children = new Map<Key, RuleNode>();
  group: RuleGroup | undefined;

  constructor(path: readonly Value[]) {
    this.path = path;
  }

  /** The last part of the path. */
  get key(): Value {
    return this.path.at(-1)!;
  }

  /** As OPA prints it: `data.a.b`. */
  get name(): string {
    return pathName(this.path);
  }

  child(key: Value): RuleNode | undefined {
    return this.children.get(keyOf(key));
  }

  childOrNew(key: Value): RuleNode {
    const slot = keyOf(key);
    let node = this.children.get(slot);
    if (node === undefined) {
      node = new RuleNode([...this.path, key]);
      this.children.set(slot, node);
    }
    return node;
  }

  /** This node and all below it that have rules. */
  *groups(): IterableIterator<RuleGroup> {
    if (this.group !== undefined) yield this.group;
    for (const child of this.children.values()) yield* child.groups();
  }

  /** The node at a path, when there is one. */
  find(path: readonly Value[]): RuleNode | undefined {
    let node: RuleNode | undefined = this;
    for (const key of path) node = node?.child(key);
    return node;
  }
}

export const pathName = (path: readonly Value[]): string => {
  let name = 'data';
  for (const part of path) {
    name += typeof part === 'string' && /^[A-Za-z_]\w*$/.test(part) ? `.${part}` : `[${format(part)}]`;
  }
  return name;
};

/** Sorts the rules of modules into a tree; throws nothing, errors are added to `errors`. */
export const buildRuleTree = (modules: readonly Module[], errors: RegoError[]): RuleNode => {
  const root = new RuleNode([]);
  const sources = new Map<RuleNode, RuleSource[]>();
  for (const module of modules) {
    let node = root;
    for (const part of module.package.path) node = node.childOrNew(part);
    for (const rule of module.rules) {
      const home = ruleNode(node, rule);
      const list = sources.get(home) ?? [];
      list.push({ rule, module });
      sources.set(home, list);
    }
  }
  let id = 0;
  for (const [node, list] of sources) {
    node.group = new RuleGroup(id, node, kindOf(node, list, errors), list);
    id += 1;
  }
  return root;
};

const ruleNode = (packageNode: RuleNode, rule: Rule): RuleNode => {
  let node = packageNode;
  for (const part of constantPrefix(rule)) node = node.childOrNew(part);
  return node;
};

/** The name of a rule and the constants that follow it. */
export const constantPrefix = (rule: Rule): readonly Value[] => {
  const { head, path } = rule.head.ref;
  const prefix: Value[] = head.type === 'var' ? [head.name] : [];
  for (const part of path) {
    const value = constantOf(part);
    if (value === undefined) break;
    prefix.push(value);
  }
  return prefix;
};

/** The value of a term without variables, references and calls. */
export const constantOf = (term: Rule['head']['ref']['path'][number]): Value | undefined => {
  switch (term.type) {
    case 'scalar':
      return term.value;
    case 'array': {
      const items = term.items.map(constantOf);
      return items.some((item) => item === undefined) ? undefined : (items as Value[]);
    }
    case 'object': {
      const object = new RegoObject();
      for (const [key, value] of term.entries) {
        const k = constantOf(key);
        const v = constantOf(value);
        if (k === undefined || v === undefined) return undefined;
        object.set(k, v);
      }
      return object;
    }
    default:
      return undefined;
  }
};

const kindOf = (node: RuleNode, sources: readonly RuleSource[], errors: RegoError[]): GroupKind => {
  const kinds = new Set<GroupKind>();
  const arities = new Set<number>();
  for (const { rule } of sources) {
    kinds.add(ruleKind(rule));
    arities.add(rule.head.args?.length ?? -1);
  }
  const location = sources[0]!.rule.location;
  if (kinds.size > 1 || arities.size > 1) {
    errors.push(new RegoError('rego_type_error', `conflicting rules ${node.name} found`, location));
  }
  const defaults = sources.filter(({ rule }) => rule.default);
  if (defaults.length > 1) {
    const message = `multiple default rules ${node.name} found`;
    errors.push(new RegoError('rego_type_error', message, defaults[1]!.rule.location));
  }
  return [...kinds][0]!;
};

const ruleKind = (rule: Rule): GroupKind => {
  if (rule.head.args !== undefined) return 'function';
  const rest = rule.head.ref.path.length + 1 - constantPrefix(rule).length;
  if (rest > 0) return 'object';
  return rule.head.key === undefined ? 'complete' : 'set';
};
