import { RegoError } from '../error.ts';
import { equal, type Value } from '../value/index.ts';
import type { CoreBody, CoreExpr, CoreRule, CoreTerm } from './core.ts';
import type { RuleGroup, RuleNode } from './rule-tree.ts';
import { comprehensionsOf, exprTerms } from './variables.ts';

interface Vertex {
  readonly rule: CoreRule;
  readonly group: RuleGroup;
}

/** Refuses rules that depend on themselves, directly or through others. */
export const checkRecursion = (groups: readonly RuleGroup[], tree: RuleNode, errors: RegoError[]): void => {
  const vertices = new Map<RuleGroup, readonly Vertex[]>();
  for (const group of groups) {
    const rules = group.default === undefined ? group.rules : [...group.rules, group.default];
    vertices.set(group, rules.map((rule) => ({ rule, group })));
  }
  new Search(vertices, tree, errors).run();
};

class Search {
  readonly #vertices: ReadonlyMap<RuleGroup, readonly Vertex[]>;
  readonly #tree: RuleNode;
  readonly #errors: RegoError[];
  readonly #done = new Set<Vertex>();

  constructor(vertices: ReadonlyMap<RuleGroup, readonly Vertex[]>, tree: RuleNode, errors: RegoError[]) {
    this.#vertices = vertices;
    this.#tree = tree;
    this.#errors = errors;
  }

  run(): void {
    for (const list of this.#vertices.values()) for (const vertex of list) this.#visit(vertex);
  }

  /** Depth first, with a stack of its own: chains of rules may be longer than JavaScript's. */
  #visit(start: Vertex): void {
    if (this.#done.has(start)) return;
    const onPath = new Set<Vertex>([start]);
    const stack = [{ vertex: start, next: this.#dependencies(start) }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const step = top.next.next();
      if (step.done === true) {
        this.#done.add(top.vertex);
        onPath.delete(top.vertex);
        stack.pop();
      } else if (onPath.has(step.value)) {
        this.#report(step.value, [...onPath]);
      } else if (!this.#done.has(step.value)) {
        onPath.add(step.value);
        stack.push({ vertex: step.value, next: this.#dependencies(step.value) });
      }
    }
  }

  #report(vertex: Vertex, path: readonly Vertex[]): void {
    const names = path.slice(path.indexOf(vertex)).map(({ group }) => group.node.name);
    const { name } = vertex.group.node;
    const message = `rule ${name} is recursive: ${[...names, name].join(' -> ')}`;
    this.#errors.push(new RegoError('rego_recursion_error', message, vertex.rule.location));
  }

  *#dependencies({ rule }: Vertex): Generator<Vertex> {
    for (let link: CoreRule | undefined = rule; link !== undefined; link = link.else) {
      const terms = [...link.path, link.value, ...(link.key === undefined ? [] : [link.key])];
      for (const term of terms) yield* this.#ofTerm(term);
      yield* this.#ofBody(link.body);
    }
  }

  *#ofBody(body: CoreBody): Generator<Vertex> {
    for (const expr of body) yield* this.#ofExpr(expr);
  }

  *#ofExpr(expr: CoreExpr): Generator<Vertex> {
    const { statement } = expr;
    if (statement.type === 'call' && statement.callee.type === 'function') yield* this.#ofGroup(statement.callee.group);
    if (statement.type === 'every') yield* this.#ofBody(statement.body);
    for (const modifier of expr.with) {
      if (modifier.type !== 'function' || modifier.replacement.type !== 'callee') continue;
      const { callee } = modifier.replacement;
      if (callee.type === 'function') yield* this.#ofGroup(callee.group);
    }
    for (const term of exprTerms(expr)) yield* this.#ofTerm(term);
  }

  *#ofTerm(term: CoreTerm): Generator<Vertex> {
    for (const { body, key, term: head } of comprehensionsOf(term)) {
      yield* this.#ofBody(body);
      yield* this.#ofTerm(head);
      if (key !== undefined) yield* this.#ofTerm(key);
    }
    for (const path of dataPaths(term)) yield* this.#ofPath(path);
  }

  *#ofGroup(group: RuleGroup): Generator<Vertex> {
    yield* this.#vertices.get(group) ?? [];
  }

  /** The rules that a reference with this path may ask. */
  *#ofPath(path: Path): Generator<Vertex> {
    for (const group of groupsAt(this.#tree, path, 0)) {
      const rest = path.slice(group.node.path.length);
      for (const vertex of this.#vertices.get(group) ?? []) if (mayMeet(vertex.rule, rest)) yield vertex;
    }
  }
}

/** The constant parts of a reference into data. */
type Path = readonly (Value | undefined)[];

const dataPaths = (term: CoreTerm): readonly Path[] => {
  switch (term.type) {
    case 'const':
    case 'var':
    case 'comprehension':
      return [];
    case 'ref': {
      const inner = term.path.flatMap(dataPaths);
      if (term.base !== 'data') return inner;
      return [term.path.map((part) => (part.type === 'const' ? part.value : undefined)), ...inner];
    }
    case 'array':
    case 'set':
      return term.items.flatMap(dataPaths);
    case 'object':
      return term.entries.flatMap(([key, value]) => [...dataPaths(key), ...dataPaths(value)]);
    default:
      return term satisfies never;
  }
};

/** The groups on the way of a path, and all below its end. Functions are documents to nobody. */
const groupsAt = function* (node: RuleNode, path: Path, from: number): Generator<RuleGroup> {
  if (node.group !== undefined && node.group.kind !== 'function') yield node.group;
  if (from >= path.length) {
    for (const child of node.children.values()) yield* groupsAt(child, path, from);
    return;
  }
  const part = path[from];
  for (const child of node.children.values()) {
    if (part === undefined || equal(part, child.key)) yield* groupsAt(child, path, from + 1);
  }
};

const mayMeet = (rule: CoreRule, rest: Path): boolean =>
  rule.path.every((part, index) => {
    const asked = rest[index];
    return asked === undefined || part.type !== 'const' || equal(part.value, asked);
  });
