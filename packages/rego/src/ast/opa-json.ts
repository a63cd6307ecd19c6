import { RegoObject, type Value } from '../value/index.ts';
import type { Expr, Statement } from './expr.ts';
import type { Module, Rule } from './module.ts';
import type { Term } from './term.ts';
import { isWildcard } from './term.ts';

/** A module as OPA's own JSON of its syntax tree, which `rego.parse_module` yields. */
export const moduleToJson = (module: Module): Value => {
  const json = object({ package: packageJson(module) });
  if (module.imports.length > 0) {
    json.set(
      'imports',
      module.imports.map(({ path, alias }) =>
        object({ path: termJson(path), ...(alias === undefined ? {} : { alias }) }),
      ),
    );
  }
  if (module.rules.length > 0) json.set('rules', module.rules.map(ruleJson));
  if (module.comments.length > 0) {
    json.set(
      'comments',
      module.comments.map(({ text, location }) =>
        object({
          Text: Buffer.from(text).toString('base64'),
          Location: object({ file: location.source.file, row: location.row, col: location.column }),
        }),
      ),
    );
  }
  return json;
};

const object = (members: Readonly<Record<string, Value>>): RegoObject =>
  new RegoObject(Object.entries(members));

const typed = (type: string, value: Value): Value => object({ type, value });

const packageJson = ({ package: { path } }: Module): Value =>
  object({ path: [typed('var', 'data'), ...path.map((part) => typed('string', part))] });

const ruleJson = (rule: Rule): Value => {
  const body =
    rule.body.length === 0 ? [object({ index: 0, terms: typed('boolean', true) })] : rule.body.map(exprJson);
  const json = object({ head: headJson(rule), body });
  if (rule.default) json.set('default', true);
  if (rule.else !== undefined) json.set('else', ruleJson(rule.else));
  return json;
};

const headJson = ({ head }: Rule): Value => {
  const { ref, args, key, value, assign } = head;
  const json = object({ ref: refPath(ref.head, ref.path) });
  if (ref.head.type === 'var') json.set('name', ref.head.name);
  if (args !== undefined) json.set('args', args.map(termJson));
  if (key !== undefined) json.set('key', termJson(key));
  if (value !== undefined) json.set('value', termJson(value));
  else if (key === undefined) json.set('value', typed('boolean', true));
  if (assign) json.set('assign', true);
  return json;
};

const exprJson = (expr: Expr, index: number): Value => {
  const json = object({ index, terms: statementJson(expr.statement) });
  if (expr.negated) json.set('negated', true);
  if (expr.with.length > 0) {
    json.set(
      'with',
      expr.with.map(({ target, value }) => object({ target: termJson(target), value: termJson(value) })),
    );
  }
  return json;
};

const statementJson = (statement: Statement): Value => {
  switch (statement.type) {
    case 'term':
      return statement.term.type === 'call' ? callTerms(statement.term) : termJson(statement.term);
    case 'some':
      return object({ symbols: statement.names.map(termJson) });
    case 'some in': {
      const { key, value, domain } = statement;
      const name = key === undefined ? 'member_2' : 'member_3';
      const operator = typed('ref', [typed('var', 'internal'), typed('string', name)]);
      const operands = key === undefined ? [value, domain] : [key, value, domain];
      return object({ symbols: [typed('call', [operator, ...operands.map(termJson)])] });
    }
    case 'every': {
      const { key, value, domain, body } = statement;
      return object({
        key: key === undefined ? null : termJson(key),
        value: termJson(value),
        domain: termJson(domain),
        body: body.map(exprJson),
      });
    }
    default:
      return statement satisfies never;
  }
};

const callTerms = (term: Extract<Term, { type: 'call' }>): Value => {
  const operator =
    term.operator.type === 'var' ? typed('ref', [termJson(term.operator)]) : termJson(term.operator);
  return [operator, ...term.args.map(termJson)];
};

const refPath = (head: Term, path: readonly Term[]): Value => [termJson(head), ...path.map(termJson)];

const termJson = (term: Term): Value => {
  switch (term.type) {
    case 'scalar':
      return typed(scalarType(term.value), term.value);
    case 'var':
      return typed('var', isWildcard(term.name) ? `$${Number(term.name.slice(1)) - 1}` : term.name);
    case 'ref':
      return typed('ref', refPath(term.head, term.path));
    case 'call':
      return typed('call', callTerms(term));
    case 'array':
    case 'set':
      return typed(term.type, term.items.map(termJson));
    case 'object':
      return typed(
        'object',
        term.entries.map(([key, value]) => [termJson(key), termJson(value)]),
      );
    case 'array comprehension':
      return typed(
        'arraycomprehension',
        object({ term: termJson(term.term), body: term.body.map(exprJson) }),
      );
    case 'set comprehension':
      return typed('setcomprehension', object({ term: termJson(term.term), body: term.body.map(exprJson) }));
    case 'object comprehension':
      return typed(
        'objectcomprehension',
        object({ key: termJson(term.key), value: termJson(term.value), body: term.body.map(exprJson) }),
      );
    case 'template':
      return typed(
        'templatestring',
        object({
          parts: term.parts.map((part, index) =>
            typeof part === 'string' ? typed('string', part) : exprJson(part, index),
          ),
          multi_line: term.multiline,
        }),
      );
    default:
      return term satisfies never;
  }
};

const scalarType = (value: unknown): string => {
  if (value === null) return 'null';
  return typeof value === 'object' ? 'number' : typeof value;
};
