import type { Body, Expr, Statement, With } from '../ast/expr.ts';
import type { Location } from '../ast/location.ts';
import type { Import, Module, Rule } from '../ast/module.ts';
import {
  type CallTerm,
  call,
  type RefTerm,
  reference,
  refOf,
  scalar,
  type Term,
  variable,
} from '../ast/term.ts';
import { RegoError } from '../error.ts';
import { addPatternNames, declaredNames, isAssignment } from './declared.ts';
import { NameSource, Scope } from './scope.ts';

/** What a module can name without declaring it: rules of its package and imports, as full references. */
export type Globals = ReadonlyMap<string, RefTerm>;

/** A rule whose names are resolved; `else` is the same for the rest of the chain. */
export interface ResolvedRule {
  readonly args: readonly Term[];
  readonly path: readonly Term[];
  readonly key?: Term;
  readonly value: Term;
  readonly body: Body;
  readonly else?: ResolvedRule;
  readonly names: NameSource;
  readonly location: Location;
}

export interface ResolveOptions {
  readonly globals: Globals;
  readonly strict: boolean;
  readonly errors: RegoError[];
  /** Collects the globals that were referred to, for the check of unused imports. */
  readonly used: Set<string>;
}

/**
 * The globals of a module.
 * @param ruleNames the first names of all rules of the package, in whatever module
 */
export const globalsOf = (module: Module, ruleNames: Iterable<string>): Globals => {
  const globals = new Map<string, RefTerm>();
  for (const name of ruleNames) {
    globals.set(name, refOf(['data', ...module.package.path, name], module.package.location));
  }
  for (const imported of module.imports) {
    const name = importName(imported);
    if (name !== undefined) globals.set(name, imported.path);
  }
  return globals;
};

/** What an import is called in its module; nothing for one that only turns on keywords. */
export const importName = ({ path, alias }: Import): string | undefined => {
  const root = path.head.type === 'var' ? path.head.name : '';
  if (root === 'future' || root === 'rego') return undefined;
  if (alias !== undefined) return alias;
  const last = path.path.at(-1);
  if (last === undefined) return undefined;
  return last.type === 'scalar' && typeof last.value === 'string' ? last.value : undefined;
};

/** Resolves the names of a rule and of its `else` chain. `rest` is how much of the head follows the constant path. */
export const resolveRule = (rule: Rule, rest: number, options: ResolveOptions): ResolvedRule =>
  new Resolver(options).rule(rule, rest);

/** Resolves the names of a query. */
export const resolveQuery = (body: Body, options: ResolveOptions): { body: Body; names: NameSource } =>
  new Resolver(options).query(body);

class Resolver {
  readonly #options: ResolveOptions;
  readonly #names = new NameSource();

  constructor(options: ResolveOptions) {
    this.#options = options;
  }

  query(body: Body) {
    const scope = new Scope(this.#names, declaredNames(body));
    const resolved = this.#body(body, scope);
    this.#checkUnused(scope, body);
    return { body: resolved, names: this.#names };
  }

  rule(rule: Rule, rest: number): ResolvedRule {
    const argNames = new Set<string>();
    for (const arg of rule.head.args ?? []) addPatternNames(arg, argNames);
    const scope = new Scope(this.#names, declaredNames(rule.body));
    for (const name of argNames) {
      this.#checkRoot(name, rule.head.location);
      scope.declare(name, 'argument');
    }
    const args = (rule.head.args ?? []).map((arg) => this.#term(arg, scope));
    const body = this.#body(rule.body, scope);
    const { head } = rule;
    const suffix = rest === 0 ? [] : head.ref.path.slice(-rest);
    const resolved: ResolvedRule = {
      args,
      path: suffix.map((part) => this.#term(part, scope)),
      value: head.value === undefined ? scalar(true, head.location) : this.#term(head.value, scope),
      body,
      names: this.#names,
      location: rule.location,
      ...(head.key === undefined ? {} : { key: this.#term(head.key, scope) }),
      ...(rule.else === undefined ? {} : { else: new Resolver(this.#options).rule(rule.else, rest) }),
    };
    this.#checkUnused(scope, rule.body);
    return resolved;
  }

  #body(body: Body, scope: Scope): Body {
    const resolved: Expr[] = [];
    for (const expr of body) {
      const statement = this.#statement(expr, scope);
      if (statement === undefined) continue;
      resolved.push({ ...expr, statement, with: expr.with.map((modifier) => this.#with(modifier, scope)) });
    }
    return resolved;
  }

  /** Nothing for a mere declaration. */
  #statement(expr: Expr, scope: Scope): Statement | undefined {
    const { statement } = expr;
    switch (statement.type) {
      case 'some':
        for (const { name, location } of statement.names) this.#declare(name, 'declared', location, scope);
        return undefined;
      case 'some in':
        return this.#someIn(statement, expr.location, scope);
      case 'every':
        return this.#every(statement, scope);
      case 'term':
        if (isAssignment(statement.term)) return this.#assignment(statement.term, expr, scope);
        return { type: 'term', term: this.#term(statement.term, scope) };
      default:
        return statement satisfies never;
    }
  }

  #assignment(term: CallTerm, expr: Expr, scope: Scope): Statement {
    if (expr.negated) this.#error(expr.location, 'cannot assign vars inside negated expression');
    const [left, right] = term.args as [Term, Term];
    const value = this.#term(right, scope);
    const target = this.#target(left, scope);
    return { type: 'term', term: call('eq', [target, value], term.location, term.infix) };
  }

  /** The left side of `:=`, its variables declared. */
  #target(term: Term, scope: Scope): Term {
    switch (term.type) {
      case 'var':
        return variable(this.#declare(term.name, 'assigned', term.location, scope), term.location);
      case 'array':
        return { ...term, items: term.items.map((item) => this.#target(item, scope)) };
      case 'object':
        return {
          ...term,
          entries: term.entries.map(
            ([key, value]) => [this.#term(key, scope), this.#target(value, scope)] as const,
          ),
        };
      default:
        this.#error(term.location, `cannot assign to ${term.type}`);
        return term;
    }
  }

  #someIn(statement: Extract<Statement, { type: 'some in' }>, location: Location, scope: Scope): Statement {
    const domain = this.#term(statement.domain, scope);
    const names = new Set<string>();
    if (statement.key !== undefined) addPatternNames(statement.key, names);
    addPatternNames(statement.value, names);
    for (const name of names) this.#declare(name, 'declared', location, scope, true);
    const key =
      statement.key === undefined
        ? variable(scope.names.generated(), location)
        : this.#term(statement.key, scope);
    const value = this.#term(statement.value, scope);
    const element =
      domain.type === 'ref'
        ? reference(domain.head, [...domain.path, key], domain.location)
        : reference(domain, [key], domain.location);
    return { type: 'term', term: call('eq', [value, element], location, 'some in') };
  }

  #every(statement: Extract<Statement, { type: 'every' }>, scope: Scope): Statement {
    const domain = this.#term(statement.domain, scope);
    const inner = scope.inner(declaredNames(statement.body));
    const rename = (term: Extract<Term, { type: 'var' }>) =>
      variable(this.#declare(term.name, 'declared', term.location, inner, true), term.location);
    const key = statement.key === undefined ? {} : { key: rename(statement.key) };
    const value = rename(statement.value);
    const body = this.#body(statement.body, inner);
    this.#checkUnused(inner, statement.body);
    return { type: 'every', domain, body, value, ...key };
  }

  #declare(
    name: string,
    occurrence: 'assigned' | 'declared',
    location: Location,
    scope: Scope,
    counted = false,
  ): string {
    switch (scope.conflict(name)) {
      case 'seen':
        this.#error(location, `var ${name} referenced above`);
        break;
      case 'assigned':
        this.#error(location, `var ${name} assigned above`);
        break;
      case 'declared':
        this.#error(location, `var ${name} declared above`);
        break;
      case 'argument':
        this.#error(location, `arg ${name} redeclared`);
        break;
      case undefined:
        break;
      default:
        break;
    }
    this.#checkRoot(name, location);
    const unique = scope.declare(name, occurrence);
    if (counted) scope.lookup(name);
    return unique;
  }

  /** A variable called as a document hides it, which strict mode refuses. */
  #checkRoot(name: string, location: Location): void {
    if (!this.#options.strict || (name !== 'input' && name !== 'data')) return;
    this.#error(location, `variables must not shadow ${name} (use a different variable name)`);
  }

  #term(term: Term, scope: Scope): Term {
    switch (term.type) {
      case 'scalar':
        return term;
      case 'var':
        return this.#variable(term.name, term.location, scope);
      case 'ref':
        return this.#reference(term, scope);
      case 'call':
        return this.#call(term, scope);
      case 'array':
      case 'set':
        return { ...term, items: term.items.map((item) => this.#term(item, scope)) };
      case 'object':
        return {
          ...term,
          entries: term.entries.map(
            ([key, value]) => [this.#term(key, scope), this.#term(value, scope)] as const,
          ),
        };
      case 'template':
        return this.#template(term, scope);
      default:
        return this.#comprehension(term, scope);
    }
  }

  #variable(name: string, location: Location, scope: Scope): Term {
    const unique = scope.lookup(name);
    if (unique !== undefined) return variable(unique, location);
    if (!scope.shadows(name)) {
      if (name === 'input' || name === 'data') return reference(variable(name, location), [], location);
      const global = this.#global(name);
      if (global !== undefined) return { ...global, location };
    }
    scope.see(name);
    return variable(name, location);
  }

  #global(name: string): RefTerm | undefined {
    const global = this.#options.globals.get(name);
    if (global !== undefined) this.#options.used.add(name);
    return global;
  }

  #reference(term: RefTerm, scope: Scope): Term {
    const head = this.#term(term.head, scope);
    const path = term.path.map((part) => this.#term(part, scope));
    return head.type === 'ref'
      ? reference(head.head, [...head.path, ...path], term.location)
      : reference(head, path, term.location);
  }

  #call(term: CallTerm, scope: Scope): Term {
    const args = term.args.map((arg) => this.#term(arg, scope));
    if (term.infix !== undefined) return { ...term, args };
    return { ...term, operator: this.#operator(term.operator, scope), args };
  }

  #operator(operator: CallTerm['operator'], scope: Scope): CallTerm['operator'] {
    const head = operator.type === 'var' ? operator : operator.head;
    if (head.type !== 'var') return operator;
    if (scope.lookup(head.name) !== undefined) {
      this.#error(operator.location, `called function ${head.name} shadowed`);
      return operator;
    }
    const global = this.#global(head.name);
    if (global === undefined) return operator;
    const rest = operator.type === 'var' ? [] : operator.path;
    return reference(global.head, [...global.path, ...rest], operator.location);
  }

  #template(term: Extract<Term, { type: 'template' }>, scope: Scope): Term {
    const parts = term.parts.map((part) => {
      if (typeof part === 'string') return part;
      const [resolved] = this.#body([part], scope.inner(new Set()));
      return resolved ?? part;
    });
    return { ...term, parts };
  }

  #comprehension(
    term: Extract<Term, { type: 'array comprehension' | 'set comprehension' | 'object comprehension' }>,
    scope: Scope,
  ): Term {
    const inner = scope.inner(declaredNames(term.body));
    const body = this.#body(term.body, inner);
    const resolved =
      term.type === 'object comprehension'
        ? { ...term, key: this.#term(term.key, inner), value: this.#term(term.value, inner), body }
        : { ...term, term: this.#term(term.term, inner), body };
    this.#checkUnused(inner, term.body);
    return resolved;
  }

  #with(modifier: With, scope: Scope): With {
    return {
      ...modifier,
      target: this.#withTarget(modifier.target, scope),
      value: this.#term(modifier.value, scope),
    };
  }

  /** A target names a document or a function; a local variable called `input` does not hide the document here. */
  #withTarget(target: Term, scope: Scope): Term {
    const head = target.type === 'ref' ? target.head : target;
    if (head.type === 'var' && (head.name === 'input' || head.name === 'data')) {
      return target.type === 'ref' ? target : reference(target, [], target.location);
    }
    return this.#term(target, scope);
  }

  #checkUnused(scope: Scope, body: Body): void {
    const location = body[0]?.location;
    for (const name of scope.unused('declared')) {
      if (!name.startsWith('$')) this.#error(location, `declared var ${name} unused`);
    }
    if (!this.#options.strict) return;
    for (const name of scope.unused('assigned')) {
      if (!name.startsWith('$')) this.#error(location, `assigned var ${name} unused`);
    }
  }

  #error(location: Location | undefined, message: string): void {
    this.#options.errors.push(new RegoError('rego_compile_error', message, location));
  }
}
