import type { Body, EveryStatement, Expr, Statement, With } from '../ast/expr.ts';
import { call, type Term, type VarTerm } from '../ast/term.ts';
import type { Cursor } from './cursor.ts';
import { parseTerm } from './terms.ts';

/** Operators from the loosest to the tightest, with the built-ins that they stand for. */
const LEVELS: readonly Readonly<Record<string, string>>[] = [
  { '==': 'equal', '!=': 'neq', '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' },
  { '|': 'or' },
  { '&': 'and' },
  { '+': 'plus', '-': 'minus' },
  { '*': 'mul', '/': 'div', '%': 'rem' },
];

export interface InfixOptions {
  /** Between commas of a list, where `k, v in xs` would not be told from two elements. */
  readonly inList?: boolean;
  /** A term that was already taken and begins the expression. */
  readonly first?: Term;
}

/** A term with operators: `in` is the loosest, then comparison, `|`, `&`, sums, products. */
export const parseInfix = (cursor: Cursor, options: InfixOptions = {}): Term =>
  cursor.nested(() => {
    let left = parseLevel(cursor, 0, options.first);
    if (options.inList !== true && cursor.is(',')) left = tryKeyMembership(cursor, left) ?? left;
    while (cursor.acceptKeyword('in')) {
      left = call('internal.member_2', [left, parseLevel(cursor, 0)], left.location, 'in');
    }
    return left;
  });

/** `k, v in xs`; nothing is taken when no `in` follows. */
const tryKeyMembership = (cursor: Cursor, key: Term): Term | undefined => {
  const mark = cursor.mark;
  cursor.advance();
  if (!cursor.isName() && !startsTerm(cursor)) {
    cursor.restore(mark);
    return undefined;
  }
  const value = parseLevel(cursor, 0);
  if (!cursor.acceptKeyword('in')) {
    cursor.restore(mark);
    return undefined;
  }
  return call('internal.member_3', [key, value, parseLevel(cursor, 0)], key.location, 'in');
};

const startsTerm = (cursor: Cursor): boolean => {
  switch (cursor.token.kind) {
    case 'number':
    case 'string':
    case 'raw string':
    case 'template':
    case '-':
    case '(':
    case '[':
    case '{':
      return true;
    default:
      return ['true', 'false', 'null'].some((word) => cursor.isKeyword(word));
  }
};

const parseLevel = (cursor: Cursor, level: number, first?: Term): Term => {
  const operators = LEVELS[level];
  if (operators === undefined) return first ?? parseTerm(cursor);
  let left = parseLevel(cursor, level + 1, first);
  for (;;) {
    const infix = cursor.token.text;
    const builtin = isPunctuation(cursor) ? operators[infix] : undefined;
    if (builtin === undefined) return left;
    cursor.advance();
    const right = parseLevel(cursor, level + 1);
    const location = { ...left.location, end: right.location.end };
    left = call(builtin, [left, right], location, infix);
  }
};

const isPunctuation = (cursor: Cursor): boolean => cursor.token.kind === cursor.token.text;

/**
 * Statements up to a closing token, which is left. A new line or `;` stands between them.
 * @param open whether another token may follow on the line, which the caller judges
 */
export const parseBody = (cursor: Cursor, close: ']' | '}' | 'eof', open = false): Body => {
  const body: Expr[] = [];
  while (cursor.accept(';'));
  if (cursor.is(close)) throw cursor.error(cursor.token, 'found empty body');
  for (;;) {
    body.push(parseExpr(cursor));
    const separated = cursor.accept(';');
    while (cursor.accept(';'));
    if (cursor.is(close)) return body;
    if (!separated && !cursor.atLineStart) {
      if (open) return body;
      throw cursor.unexpected(`expected \\n or ; or ${close}`);
    }
  }
};

/** One statement with its `with` modifiers. */
export const parseExpr = (cursor: Cursor): Expr =>
  cursor.nested(() => {
    const { token } = cursor;
    const negated = cursor.acceptKeyword('not');
    const statement = parseStatement(cursor, negated);
    const modifiers = parseModifiers(cursor);
    return { negated, statement, with: modifiers, location: cursor.since(token) };
  });

const parseStatement = (cursor: Cursor, negated: boolean): Statement => {
  if (cursor.isKeyword('some')) {
    if (negated) throw cursor.unexpected();
    return parseSome(cursor);
  }
  if (cursor.isKeyword('every')) return parseEvery(cursor);
  return { type: 'term', term: parseAssignable(cursor) };
};

/** A term, or two with `:=` or `=` between. */
const parseAssignable = (cursor: Cursor): Term => {
  const left = parseInfix(cursor);
  const builtin = cursor.is(':=') ? 'assign' : cursor.is('=') ? 'eq' : undefined;
  if (builtin === undefined) return left;
  const infix = cursor.advance().text;
  const right = parseInfix(cursor);
  return call(builtin, [left, right], { ...left.location, end: right.location.end }, infix);
};

const parseModifiers = (cursor: Cursor): readonly With[] => {
  const modifiers: With[] = [];
  while (cursor.isKeyword('with')) {
    const token = cursor.advance();
    const target = parseTerm(cursor);
    if (!cursor.acceptKeyword('as')) throw cursor.unexpected('expected as keyword');
    const value = parseInfix(cursor);
    modifiers.push({ target, value, location: cursor.since(token) });
  }
  return modifiers;
};

const parseSome = (cursor: Cursor): Statement => {
  cursor.advance();
  const mark = cursor.mark;
  const membership = membershipOf(parseInfix(cursor));
  if (membership !== undefined) return { type: 'some in', ...membership };
  cursor.restore(mark);
  return { type: 'some', names: parseNames(cursor) };
};

const parseNames = (cursor: Cursor): readonly VarTerm[] => {
  const names: VarTerm[] = [];
  do {
    if (!cursor.isName()) throw cursor.unexpected('expected var');
    const token = cursor.advance();
    if (!cursor.token.spaced && (cursor.is('.') || cursor.is('[') || cursor.is('('))) {
      throw cursor.error(token, 'expected `x in xs` or `x, y in xs` expression');
    }
    const name = token.text === '_' ? cursor.wildcard() : token.text;
    names.push({ type: 'var', name, location: cursor.locate(token) });
  } while (cursor.accept(','));
  return names;
};

interface Membership {
  readonly key?: Term;
  readonly value: Term;
  readonly domain: Term;
}

const membershipOf = (term: Term): Membership | undefined => {
  if (term.type !== 'call' || term.infix !== 'in') return undefined;
  const [first, second, third] = term.args;
  if (third !== undefined) return { key: first!, value: second!, domain: third };
  return { value: first!, domain: second! };
};

const parseEvery = (cursor: Cursor): EveryStatement => {
  const every = cursor.advance();
  const membership = membershipOf(parseInfix(cursor));
  if (membership === undefined) throw cursor.error(every, 'expected `x[, y] in xs { ... }` expression');
  const { key, value, domain } = membership;
  if (value.type !== 'var') throw cursor.error(every, 'expected value to be a variable');
  if (key !== undefined && key.type !== 'var') throw cursor.error(every, 'expected key to be a variable');
  cursor.expect('{', 'expected {');
  const body = parseBody(cursor, '}');
  cursor.expect('}');
  return { type: 'every', value, domain, body, ...(key === undefined ? {} : { key }) };
};
