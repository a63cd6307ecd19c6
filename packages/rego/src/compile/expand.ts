import type { Body, Expr, Statement } from '../ast/expr.ts';
import type { Location } from '../ast/location.ts';
import { type CallTerm, operatorName, type RefTerm, type Term } from '../ast/term.ts';
import type { BuiltinDeclaration } from '../builtin.ts';
import { RegoError } from '../error.ts';
import { RegoObject, RegoSet, type Value } from '../value/index.ts';
import type { Callee, CoreExpr, CoreRef, CoreStatement, CoreTerm, CoreVar, CoreWith } from './core.ts';
import type { RuleNode } from './rule-tree.ts';
import type { NameSource } from './scope.ts';
import { expandWith } from './with.ts';

export interface ExpandContext {
  readonly builtins: ReadonlyMap<string, BuiltinDeclaration>;
  readonly tree: RuleNode;
  readonly names: NameSource;
  readonly errors: RegoError[];
  /** What `rego.metadata.chain()` and `.rule()` are in this rule. */
  readonly metadata: Metadata;
}

export interface Metadata {
  chain(): Value;
  rule(): Value;
}

/** Resolved statements with all calls taken out of terms into statements of their own, before the one they stood in. */
export const expandBody = (body: Body, context: ExpandContext): CoreExpr[] =>
  body.flatMap((expr) => new Expander(context).expr(expr));

/**
 * A term of a rule's or comprehension's head: what has to be evaluated goes to the end of the body.
 */
export const expandHeadTerm = (term: Term, body: CoreExpr[], context: ExpandContext): CoreTerm => {
  const expander = new Expander(context);
  const core = expander.term(term);
  body.push(...expander.before);
  if (!needsEvaluation(core)) return core;
  const local: CoreVar = { type: 'var', name: context.names.generated() };
  body.push(plain({ type: 'unify', left: local, right: core }, term.location));
  return local;
};

/** Whether a term is more than a literal pattern of variables. */
const needsEvaluation = (term: CoreTerm): boolean => {
  switch (term.type) {
    case 'const':
    case 'var':
      return false;
    case 'ref':
    case 'comprehension':
      return true;
    case 'array':
    case 'set':
      return term.items.some(needsEvaluation);
    case 'object':
      return term.entries.some(([key, value]) => needsEvaluation(key) || needsEvaluation(value));
    default:
      return term satisfies never;
  }
};

const plain = (statement: CoreStatement, location: Location): CoreExpr => ({
  statement,
  negated: false,
  with: [],
  location,
});

/** Expands one statement; `before` collects what must be evaluated ahead of it. */
class Expander {
  readonly before: CoreExpr[] = [];
  readonly #context: ExpandContext;
  #with: readonly CoreWith[] = [];

  constructor(context: ExpandContext) {
    this.#context = context;
  }

  expr(expr: Expr): CoreExpr[] {
    const modifiers: CoreWith[] = [];
    for (const modifier of expr.with) {
      const core = expandWith(modifier, this.#context, (term) => this.term(term));
      if (core !== undefined) modifiers.push(core);
    }
    this.#with = modifiers;
    const statement = this.#statement(expr.statement, expr);
    if (statement === undefined) return this.before;
    return [...this.before, { statement, negated: expr.negated, with: modifiers, location: expr.location }];
  }

  #statement(statement: Statement, expr: Expr): CoreStatement | undefined {
    switch (statement.type) {
      case 'term':
        return this.#termStatement(statement.term, expr.negated);
      case 'every':
        return this.#every(statement);
      case 'some':
      case 'some in':
        throw new TypeError('resolved away');
      default:
        return statement satisfies never;
    }
  }

  #every(statement: Extract<Statement, { type: 'every' }>): CoreStatement {
    const domain = this.term(statement.domain);
    const body = expandBody(statement.body, this.#context);
    const key = statement.key === undefined ? {} : { key: statement.key.name };
    return { type: 'every', value: statement.value.name, domain, body, ...key };
  }

  #termStatement(term: Term, negated: boolean): CoreStatement | undefined {
    if (term.type !== 'call') return { type: 'test', term: this.term(term) };
    if (operatorName(term.operator) === 'eq' && term.args.length === 2) return this.#equation(term, negated);
    if (operatorName(term.operator) === 'print') return this.#print(term);
    return this.#call(term);
  }

  /** `x = f(y)` is the call with its result unified at once, unless a negation would swallow that `f(y)` is undefined. */
  #equation(term: CallTerm, negated: boolean): CoreStatement | undefined {
    const [left, right] = term.args as [Term, Term];
    const [result, call] = isFunctionCall(right) ? [left, right] : [right, left];
    if (!negated && isFunctionCall(call)) {
      const statement = this.#call(call);
      if (statement === undefined) return undefined;
      if (statement.type === 'call' && statement.output === undefined)
        return { ...statement, output: this.term(result) };
      return { type: 'unify', left: this.term(result), right: this.term(call) };
    }
    return { type: 'unify', left: this.term(left), right: this.term(right) };
  }

  #call(term: CallTerm): CoreStatement | undefined {
    const constant = this.#metadataCall(term);
    if (constant !== undefined) return { type: 'test', term: { type: 'const', value: constant } };
    const callee = this.#callee(term);
    if (callee === undefined) return undefined;
    const args = term.args.map((arg) => this.term(arg));
    const arity = calleeArity(callee);
    if (args.length === arity + 1 && !isVariadic(callee)) {
      return { type: 'call', callee, args: args.slice(0, arity), output: args[arity]! };
    }
    return { type: 'call', callee, args };
  }

  #callee(term: CallTerm): Callee | undefined {
    const callee = resolveCallee(term.operator, this.#context);
    if (callee === undefined) {
      this.#error('rego_type_error', `undefined function ${operatorText(term.operator)}`, term.location);
      return undefined;
    }
    const arity = calleeArity(callee);
    const given = term.args.length;
    if (given !== arity && given !== arity + 1 && !isVariadic(callee)) {
      const message = `${operatorText(term.operator)}: arity mismatch: have ${given} arguments, want ${arity}`;
      this.#error('rego_type_error', message, term.location);
      return undefined;
    }
    return callee;
  }

  /** `print` shows undefined operands rather than being undefined itself: each becomes a set of at most one value. */
  #print(term: CallTerm): CoreStatement | undefined {
    const declaration = this.#context.builtins.get('internal.print');
    if (declaration === undefined) return undefined;
    const items = term.args.map((arg) => this.#optional(arg));
    return { type: 'call', callee: { type: 'builtin', declaration }, args: [{ type: 'array', items }] };
  }

  /** `{x | x = term}` */
  #optional(term: Term): CoreTerm {
    if (term.type === 'scalar') return { type: 'const', value: term.value };
    const body: CoreExpr[] = [];
    const element = expandHeadTerm(term, body, this.#context);
    if (body.length === 0) {
      return foldSet([element]);
    }
    return { type: 'comprehension', kind: 'set', term: element, body, location: term.location };
  }

  /** A term without calls; they are in `before`. */
  term(term: Term): CoreTerm {
    switch (term.type) {
      case 'scalar':
        return { type: 'const', value: term.value };
      case 'var':
        return { type: 'var', name: term.name };
      case 'ref':
        return this.#reference(term);
      case 'call':
        return this.#nestedCall(term);
      case 'array':
        return foldArray(term.items.map((item) => this.term(item)));
      case 'set':
        return foldSet(term.items.map((item) => this.term(item)));
      case 'object':
        return foldObject(term.entries.map(([key, value]) => [this.term(key), this.term(value)] as const));
      case 'template':
        return this.#template(term);
      default:
        return this.#comprehension(term);
    }
  }

  #reference(term: RefTerm): CoreTerm {
    const base = this.#base(term.head);
    const path = term.path.map((part) => this.term(part));
    return { type: 'ref', base, path, location: term.location };
  }

  #base(head: Term): CoreRef['base'] {
    if (head.type === 'var') {
      return head.name === 'input' || head.name === 'data' ? head.name : { type: 'var', name: head.name };
    }
    const core = this.term(head);
    return core.type === 'var' ? core : this.#bind(core, head.location);
  }

  #bind(term: CoreTerm, location: Location): CoreVar {
    const local = this.#local();
    this.before.push({ ...plain({ type: 'unify', left: local, right: term }, location), with: this.#with });
    return local;
  }

  #nestedCall(term: CallTerm): CoreTerm {
    const constant = this.#metadataCall(term);
    if (constant !== undefined) return { type: 'const', value: constant };
    const statement = this.#call({ ...term, args: term.args });
    const local = this.#local();
    if (statement?.type === 'call') {
      const withOutput = { ...statement, output: local };
      this.before.push({ ...plain(withOutput, term.location), with: this.#with });
    }
    return local;
  }

  #metadataCall(term: CallTerm): Value | undefined {
    switch (operatorName(term.operator)) {
      case 'rego.metadata.chain':
        return this.#context.metadata.chain();
      case 'rego.metadata.rule':
        return this.#context.metadata.rule();
      default:
        return undefined;
    }
  }

  #template(term: Extract<Term, { type: 'template' }>): CoreTerm {
    const declaration = this.#context.builtins.get('internal.template_string');
    if (declaration === undefined) throw new TypeError('no template strings');
    const items = term.parts.map((part) =>
      typeof part === 'string' ? ({ type: 'const', value: part } as const) : this.#templatePart(part),
    );
    const local = this.#local();
    const statement: CoreStatement = {
      type: 'call',
      callee: { type: 'builtin', declaration },
      args: [{ type: 'array', items }],
      output: local,
    };
    this.before.push({ ...plain(statement, term.location), with: this.#with });
    return local;
  }

  #templatePart(part: Expr): CoreTerm {
    if (part.statement.type !== 'term') {
      this.#error('rego_compile_error', 'invalid template-string expression', part.location);
      return { type: 'const', value: '' };
    }
    const { term } = part.statement;
    if (part.with.length === 0) return this.#optional(term);
    const local: CoreVar = this.#local();
    const operator = { type: 'var', name: 'eq', location: term.location } as const;
    const left = { type: 'var', name: local.name, location: term.location } as const;
    const equation: Term = {
      type: 'call',
      operator,
      args: [left, term],
      location: term.location,
      infix: '=',
    };
    const body = expandBody([{ ...part, statement: { type: 'term', term: equation } }], this.#context);
    return { type: 'comprehension', kind: 'set', term: local, body, location: term.location };
  }

  #comprehension(
    term: Extract<Term, { type: 'array comprehension' | 'set comprehension' | 'object comprehension' }>,
  ): CoreTerm {
    const body = expandBody(term.body, this.#context);
    const { location } = term;
    switch (term.type) {
      case 'array comprehension': {
        const element = expandHeadTerm(term.term, body, this.#context);
        return { type: 'comprehension', kind: 'array', term: element, body, location };
      }
      case 'set comprehension': {
        const element = expandHeadTerm(term.term, body, this.#context);
        return { type: 'comprehension', kind: 'set', term: element, body, location };
      }
      case 'object comprehension': {
        const key = expandHeadTerm(term.key, body, this.#context);
        const value = expandHeadTerm(term.value, body, this.#context);
        return { type: 'comprehension', kind: 'object', key, term: value, body, location };
      }
      default:
        return term satisfies never;
    }
  }

  #local(): CoreVar {
    return { type: 'var', name: this.#context.names.generated() };
  }

  #error(code: 'rego_type_error' | 'rego_compile_error', message: string, location: Location): void {
    this.#context.errors.push(new RegoError(code, message, location));
  }
}

const isFunctionCall = (term: Term): term is CallTerm =>
  term.type === 'call' && operatorName(term.operator) !== 'eq';

/** What an operator calls; nothing when there is no such function. */
export const resolveCallee = (
  operator: Term,
  context: Pick<ExpandContext, 'builtins' | 'tree'>,
): Callee | undefined => {
  if (operator.type !== 'var' && operator.type !== 'ref') return undefined;
  if (operator.type === 'ref' && operator.head.type === 'var' && operator.head.name === 'data') {
    const path = operator.path.map((part) => (part.type === 'scalar' ? part.value : undefined));
    if (path.some((part) => part === undefined)) return undefined;
    const group = context.tree.find(path as Value[])?.group;
    return group?.kind === 'function' ? { type: 'function', group } : undefined;
  }
  const name = operatorName(operator);
  const declaration = name === undefined ? undefined : context.builtins.get(name);
  return declaration === undefined ? undefined : { type: 'builtin', declaration };
};

export const calleeArity = (callee: Callee): number =>
  callee.type === 'builtin' ? callee.declaration.args.length : callee.group.arity;

const isVariadic = (callee: Callee): boolean =>
  callee.type === 'builtin' && callee.declaration.variadic !== undefined;

const operatorText = (operator: CallTerm['operator']): string =>
  operatorName(operator) ?? 'of a computed name';

const foldArray = (items: readonly CoreTerm[]): CoreTerm => {
  const values = constants(items);
  return values === undefined ? { type: 'array', items } : { type: 'const', value: values };
};

const foldSet = (items: readonly CoreTerm[]): CoreTerm => {
  const values = constants(items);
  return values === undefined ? { type: 'set', items } : { type: 'const', value: new RegoSet(values) };
};

const foldObject = (entries: readonly (readonly [CoreTerm, CoreTerm])[]): CoreTerm => {
  const keys = constants(entries.map(([key]) => key));
  const values = constants(entries.map(([, value]) => value));
  if (keys === undefined || values === undefined) return { type: 'object', entries };
  return { type: 'const', value: new RegoObject(keys.map((key, index) => [key, values[index]!] as const)) };
};

const constants = (terms: readonly CoreTerm[]): Value[] | undefined => {
  const values: Value[] = [];
  for (const term of terms) {
    if (term.type !== 'const') return undefined;
    values.push(term.value);
  }
  return values;
};
