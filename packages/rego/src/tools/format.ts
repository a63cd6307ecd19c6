import type { Body, Expr, Statement } from '../ast/expr.ts';
import type { Location } from '../ast/location.ts';
import type { Head, Import, Module, Rule } from '../ast/module.ts';
import type { Term } from '../ast/term.ts';
import { type ParseOptions, parseModule } from '../syntax/parse.ts';
import { CommentWriter } from './comment-writer.ts';
import { formatTerm } from './format-terms.ts';

/**
 * A module in the one form that all have: tabs, one statement a line, an empty line around rules with bodies. Comments
 * stay with what they stand before or behind.
 * Throws a RegoError when the text cannot be parsed.
 */
export const formatModule = (file: string, text: string, options: ParseOptions = {}): string => {
  const module = parseModule(file, text, options);
  return new ModuleFormatter(module).run();
};

class ModuleFormatter {
  readonly #module: Module;
  readonly #out: CommentWriter;

  constructor(module: Module) {
    this.#module = module;
    this.#out = new CommentWriter(module.comments);
  }

  run(): string {
    const { package: pkg, imports, rules } = this.#module;
    this.#line(pkg.location, 0, `package ${packagePath(pkg.path)}`);
    if (imports.length > 0) this.#out.blank();
    for (const imported of imports) this.#line(imported.location, 0, formatImport(imported));
    let previous: Rule | undefined;
    for (const rule of rules) {
      if (previous === undefined || isTall(previous) || isTall(rule) || apart(previous, rule))
        this.#out.blank();
      this.#rule(rule);
      previous = rule;
    }
    return this.#out.end();
  }

  /** A line of its own, behind the comments that stood before it. */
  #line(location: Location, indent: number, text: string): void {
    this.#out.before(location.row, indent);
    this.#out.line(indent, text, lastRow(location));
  }

  #rule(rule: Rule): void {
    this.#out.before(rule.location.row, 0);
    const start = `${rule.default ? 'default ' : ''}${formatHead(rule.head)}`;
    this.#chain(rule, start);
  }

  /** A head with its body, and the `else` that follow on the line of the closing brace. */
  #chain(rule: Rule, start: string): void {
    const keyword = this.#module.version === 'v1' || rule.conditional ? ' if' : '';
    const next = rule.else;
    if (rule.body.length === 0) {
      this.#finish(rule, start, next);
      return;
    }
    const single = next === undefined ? singleLine(rule, this.#out.hasComments(rule.location)) : undefined;
    if (single !== undefined && keyword !== '') {
      this.#out.line(0, `${start} if ${single}`, lastRow(rule.location));
      return;
    }
    this.#out.line(0, `${start}${keyword} {`, rule.head.location.row);
    this.#body(rule.body, 1);
    this.#out.before(closingRow(rule), 1);
    this.#finish(rule, '}', next);
  }

  #finish(rule: Rule, text: string, next: Rule | undefined): void {
    if (next === undefined) this.#out.line(0, text, lastRow(rule.location));
    else this.#chain(next, `${text} ${formatElse(next.head)}`);
  }

  #body(body: Body, indent: number): void {
    let row: number | undefined;
    for (const expr of body) {
      const first = this.#out.firstRow(expr.location.row);
      if (row !== undefined && first > row + 1) this.#out.blank();
      this.#expr(expr, indent);
      row = lastRow(expr.location);
    }
  }

  #expr(expr: Expr, indent: number): void {
    this.#out.before(expr.location.row, indent);
    const { statement } = expr;
    if (statement.type === 'every') {
      const inner = statement.body;
      this.#out.line(indent, `${expr.negated ? 'not ' : ''}${everyHead(statement)} {`, expr.location.row);
      this.#body(inner, indent + 1);
      this.#out.line(indent, `}${formatModifiers(expr)}`, lastRow(expr.location));
      return;
    }
    this.#out.line(indent, formatExpr(expr, indent), lastRow(expr.location));
  }
}

const packagePath = (path: readonly string[]): string =>
  path.reduce((name, part) => {
    if (name === '') return part;
    return /^[A-Za-z_]\w*$/.test(part) ? `${name}.${part}` : `${name}[${JSON.stringify(part)}]`;
  }, '');

const formatImport = ({ path, alias }: Import): string =>
  `import ${formatTerm(path)}${alias === undefined ? '' : ` as ${alias}`}`;

const formatHead = (head: Head): string => {
  const args = head.args === undefined ? '' : `(${head.args.map((arg) => formatTerm(arg)).join(', ')})`;
  const name = `${formatTerm(head.ref)}${args}`;
  if (head.key !== undefined) return `${name}${formatKey(head.key, head)}`;
  return head.value === undefined ? name : `${name} := ${formatTerm(head.value)}`;
};

/** v0 writes members of sets in brackets. */
const formatKey = (key: Term, { ref }: Head): string => {
  const { source, start } = key.location;
  const legacy = source.text.slice(ref.location.start, start).trimEnd().endsWith('[');
  return legacy ? `[${formatTerm(key)}]` : ` contains ${formatTerm(key)}`;
};

const formatElse = ({ value }: Head): string =>
  value === undefined ? 'else' : `else := ${formatTerm(value)}`;

const lastRow = ({ source, row, start, end }: Location): number => {
  let last = row;
  for (
    let at = source.text.indexOf('\n', start);
    at !== -1 && at < end;
    at = source.text.indexOf('\n', at + 1)
  )
    last += 1;
  return last;
};

/** The row of the brace that closes a rule's own body: the last one before its `else`. */
const closingRow = (rule: Rule): number =>
  rule.else === undefined ? lastRow(rule.location) : rule.else.location.row;

const isTall = (rule: Rule): boolean => lastRow(rule.location) > rule.location.row;

const apart = (previous: Rule, rule: Rule): boolean => rule.location.row > lastRow(previous.location) + 1;

/** A body of one statement that stood on the line of its head stays there. */
const singleLine = (rule: Rule, commented: boolean): string | undefined => {
  const [expr, ...others] = rule.body;
  if (expr === undefined || others.length > 0 || commented || isTall(rule)) return undefined;
  return expr.statement.type === 'every' ? undefined : formatExpr(expr, 0);
};

/** One statement with its modifiers. */
export const formatExpr = (expr: Expr, indent: number): string =>
  `${expr.negated ? 'not ' : ''}${formatStatement(expr.statement, indent)}${formatModifiers(expr)}`;

const formatModifiers = ({ with: modifiers }: Expr): string =>
  modifiers.map(({ target, value }) => ` with ${formatTerm(target)} as ${formatTerm(value)}`).join('');

const everyHead = ({ key, value, domain }: Extract<Statement, { type: 'every' }>): string =>
  `every ${key === undefined ? '' : `${formatTerm(key)}, `}${formatTerm(value)} in ${formatTerm(domain)}`;

const formatStatement = (statement: Statement, indent: number): string => {
  switch (statement.type) {
    case 'term':
      return formatTerm(statement.term, indent, 'statement');
    case 'some':
      return `some ${statement.names.map((name) => formatTerm(name)).join(', ')}`;
    case 'some in': {
      const key = statement.key === undefined ? '' : `${formatTerm(statement.key)}, `;
      return `some ${key}${formatTerm(statement.value)} in ${formatTerm(statement.domain)}`;
    }
    case 'every':
      return `${everyHead(statement)} { ${statement.body.map((inner) => formatExpr(inner, indent)).join('; ')} }`;
    default:
      return statement satisfies never;
  }
};
