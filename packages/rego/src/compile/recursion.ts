import { RegoError } from '../error.ts';
import { equal } from '../value/index.ts';
import type { CoreRule } from './core.ts';
import type { RuleGroup, RuleNode } from './rule-tree.ts';
import { groupsAt, type Path, usesOf } from './uses.ts';

interface Vertex {
  readonly rule: CoreRule;
  readonly group: RuleGroup;
}

/** Refuses rules that depend on themselves, directly or through others. */
export const checkRecursion = (groups: readonly RuleGroup[], tree: RuleNode, errors: RegoError[]): void => {
  const vertices = new Map<RuleGroup, readonly Vertex[]>();
  for (const group of groups) {
    const rules = group.default === undefined ? group.rules : [...group.rules, group.default];
    vertices.set(
      group,
      rules.map((rule) => ({ rule, group })),
    );
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
    for (const use of usesOf(rule)) {
      if (use.type === 'function') yield* this.#vertices.get(use.group) ?? [];
      if (use.type === 'data') yield* this.#ofPath(use.path);
    }
  }

  /** The rules that a reference with this path may ask. */
  *#ofPath(path: Path): Generator<Vertex> {
    for (const group of groupsAt(this.#tree, path)) {
      const rest = path.slice(group.node.path.length);
      for (const vertex of this.#vertices.get(group) ?? []) if (mayMeet(vertex.rule, rest)) yield vertex;
    }
  }
}

const mayMeet = (rule: CoreRule, rest: Path): boolean =>
  rule.path.every((part, index) => {
    const asked = rest[index];
    return asked === undefined || part.type !== 'const' || equal(part.value, asked);
  });
