import type { CoreExpr, CoreRule, CoreTerm } from '../compile/core.ts';
import { isArray, isSet, type Key, keyOf, type Value } from '../value/index.ts';
import type { Evaluation } from './evaluation.ts';
import { navigate } from './navigate.ts';

/** Below this many rules trying them all costs less. */
const MIN_RULES = 3;

/** Where the value that decides comes from. */
type Subject =
  | { readonly type: 'input'; readonly path: readonly Value[] }
  | { readonly type: 'argument'; readonly position: number };

interface Condition {
  readonly subject: Subject;
  /** The rule holds for no other values. */
  readonly values: readonly Value[];
}

/**
 * Which rules of a group can hold at all, by the value of one reference into the input or of one argument that most of
 * them compare with constants. With it, the cost of a hundred rules that each name a host is that of one.
 */
export class RuleIndex {
  readonly #all: readonly number[];
  readonly #subject: Subject | undefined;
  readonly #byValue = new Map<Key, number[]>();
  /** The rules that do not depend on the subject. */
  readonly #others: number[] = [];

  constructor(rules: readonly CoreRule[]) {
    this.#all = rules.map((_, index) => index);
    if (rules.length < MIN_RULES) return;
    const conditions = rules.map(conditionsOf);
    this.#subject = mostCommon(conditions.flat());
    if (this.#subject === undefined) return;
    const name = subjectName(this.#subject);
    conditions.forEach((own, index) => {
      this.#add(
        index,
        own.find(({ subject }) => subjectName(subject) === name),
      );
    });
  }

  /** The positions of the rules to try, in their order. */
  candidates(evaluation: Evaluation, args: readonly Value[]): readonly number[] {
    const subject = this.#subject;
    if (subject === undefined) return this.#all;
    const value =
      subject.type === 'input' ? navigate(evaluation.input, subject.path) : args[subject.position];
    if (value === undefined) return this.#others;
    return this.#byValue.get(keyOf(value)) ?? this.#others;
  }

  /** Rules are added in order, so the lists stay sorted. */
  #add(index: number, condition: Condition | undefined): void {
    if (condition === undefined) {
      for (const list of this.#byValue.values()) list.push(index);
      this.#others.push(index);
      return;
    }
    for (const value of condition.values) {
      const key = keyOf(value);
      const list = this.#byValue.get(key) ?? [...this.#others];
      if (list.at(-1) !== index) list.push(index);
      this.#byValue.set(key, list);
    }
  }
}

/** The equations of a rule's body that it cannot hold without. A rule with `else` holds otherwise as well. */
const conditionsOf = (rule: CoreRule): readonly Condition[] => {
  if (rule.else !== undefined) return [];
  const aliases = new Map<string, CoreTerm>();
  const found: Condition[] = [];
  for (const expr of rule.body) {
    const condition = conditionOf(expr, rule, aliases);
    if (condition !== undefined) found.push(condition);
  }
  return found;
};

const conditionOf = (
  expr: CoreExpr,
  rule: CoreRule,
  aliases: Map<string, CoreTerm>,
): Condition | undefined => {
  if (expr.negated || expr.with.length > 0) return undefined;
  const sides = equationOf(expr);
  if (sides === undefined) return undefined;
  const [left, right] = sides;
  if (left.type === 'var' && !rule.params.includes(left.name)) aliases.set(left.name, right);
  for (const [subjectTerm, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const subject = subjectOf(subjectTerm, rule, aliases);
    const values = subject === undefined ? undefined : constantsOf(expr, other);
    if (subject !== undefined && values !== undefined) return { subject, values };
  }
  return undefined;
};

/** `a = b`, `a == b`, or `a in {…}` as its two sides. */
const equationOf = ({ statement }: CoreExpr): readonly [CoreTerm, CoreTerm] | undefined => {
  if (statement.type === 'unify') return [statement.left, statement.right];
  if (statement.type !== 'call' || statement.output !== undefined || statement.callee.type !== 'builtin')
    return undefined;
  const { name } = statement.callee.declaration;
  if (name !== 'equal' && name !== 'internal.member_2') return undefined;
  return [statement.args[0]!, statement.args[1]!];
};

const subjectOf = (term: CoreTerm, rule: CoreRule, aliases: Map<string, CoreTerm>): Subject | undefined => {
  if (term.type === 'var') {
    const position = rule.params.indexOf(term.name);
    if (position !== -1) return { type: 'argument', position };
    const alias = aliases.get(term.name);
    return alias === undefined || alias.type === 'var' ? undefined : subjectOf(alias, rule, aliases);
  }
  if (term.type !== 'ref' || term.base !== 'input') return undefined;
  const path: Value[] = [];
  for (const part of term.path) {
    if (part.type !== 'const') return undefined;
    path.push(part.value);
  }
  return { type: 'input', path };
};

const constantsOf = ({ statement }: CoreExpr, term: CoreTerm): readonly Value[] | undefined => {
  if (term.type !== 'const') return undefined;
  if (statement.type !== 'call' || statement.callee.type !== 'builtin') return [term.value];
  if (statement.callee.declaration.name === 'equal') return [term.value];
  if (term !== statement.args[1]) return undefined;
  if (isArray(term.value)) return term.value;
  return isSet(term.value) ? term.value.sorted : undefined;
};

const subjectName = (subject: Subject): string =>
  subject.type === 'argument' ? `argument ${subject.position}` : `input ${String(keyOf(subject.path))}`;

const mostCommon = (conditions: readonly Condition[]): Subject | undefined => {
  const counts = new Map<string, number>();
  let best: Subject | undefined;
  let most = 1;
  for (const { subject } of conditions) {
    const name = subjectName(subject);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    if (count > most) {
      most = count;
      best = subject;
    }
  }
  return best;
};
