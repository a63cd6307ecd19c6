import type { Location } from '../ast/location.ts';
import { type CallTerm, reference, type Scalar, scalar, type Term, variable } from '../ast/term.ts';
import { numberFromText } from '../value/index.ts';
import { Cursor } from './cursor.ts';
import { parseBody, parseExpr, parseInfix } from './expressions.ts';
import type { Token } from './token.ts';

/** A term without operators at its top: literal, variable, reference, call, or anything in brackets. */
export const parseTerm = (cursor: Cursor): Term => cursor.nested(() => finish(cursor, parsePrimary(cursor)));

/** The references and calls that follow a term without white space between. */
const finish = (cursor: Cursor, head: Term): Term => {
  let term = head;
  while (!cursor.token.spaced) {
    if (cursor.is('(') && isOperator(term)) term = parseCall(cursor, term);
    else if ((cursor.is('.') || cursor.is('[')) && canBeHead(term)) term = parsePath(cursor, term);
    else break;
  }
  return term;
};

/** The name of a rule with what follows it, or of an import: a variable, a reference or a call. */
export const parseNamed = (cursor: Cursor, note = 'expected ident'): Term => {
  const { token } = cursor;
  if (!cursor.isName()) throw cursor.unexpected(note);
  cursor.advance();
  return cursor.nested(() => finish(cursor, variable(token.text, cursor.locate(token))));
};

/** Terms between commas up to a closing token, which is taken. A comma may end the list. */
export const parseList = (cursor: Cursor, close: ')' | ']' | '}', first?: Term): readonly Term[] => {
  const items = first === undefined ? [] : [first];
  if (first !== undefined && !cursor.is(close)) cursor.expect(',', `expected , or ${close}`);
  while (!cursor.is(close)) {
    items.push(parseInfix(cursor, { inList: true }));
    if (!cursor.is(close)) cursor.expect(',', `expected , or ${close}`);
  }
  cursor.advance();
  return items;
};

const isOperator = (term: Term): term is CallTerm['operator'] => term.type === 'var' || term.type === 'ref';

const canBeHead = (term: Term): boolean => term.type !== 'scalar' && term.type !== 'template';

const parseCall = (cursor: Cursor, operator: CallTerm['operator']): Term => {
  cursor.advance();
  const args = parseList(cursor, ')');
  return { type: 'call', operator, args, location: to(cursor, operator.location) };
};

const parsePath = (cursor: Cursor, head: Term): Term => {
  const path: Term[] = head.type === 'ref' ? [...head.path] : [];
  const base = head.type === 'ref' ? head.head : head;
  while (!cursor.token.spaced || path.length === 0) {
    if (cursor.accept('.')) path.push(parseMember(cursor));
    else if (cursor.accept('[')) {
      path.push(parseInfix(cursor));
      cursor.expect(']');
    } else break;
  }
  return reference(base, path, to(cursor, head.location));
};

const parseMember = (cursor: Cursor): Term => {
  const { token } = cursor;
  if (token.spaced || (token.kind !== 'ident' && token.kind !== 'keyword'))
    throw cursor.unexpected('expected ident');
  cursor.advance();
  return scalar(token.text, cursor.locate(token));
};

const to = (cursor: Cursor, from: Location): Location => ({
  ...from,
  end: Math.max(from.end, cursor.previous.end),
});

const parsePrimary = (cursor: Cursor): Term => {
  const { token } = cursor;
  switch (token.kind) {
    case 'number':
      return take(cursor, numberFromText(token.text));
    case 'string':
    case 'raw string':
      return take(cursor, token.text);
    case 'template':
      return parseTemplate(cursor);
    case '-':
      return parseNegative(cursor);
    case '(':
      return parseParenthesized(cursor);
    case '[':
      return parseArray(cursor);
    case '{':
      return parseBraces(cursor);
    default:
      return parseWord(cursor);
  }
};

const take = (cursor: Cursor, value: Scalar): Term => scalar(value, cursor.locate(cursor.advance()));

const parseWord = (cursor: Cursor): Term => {
  const { token } = cursor;
  if (cursor.isKeyword('true')) return take(cursor, true);
  if (cursor.isKeyword('false')) return take(cursor, false);
  if (cursor.isKeyword('null')) return take(cursor, null);
  if (!cursor.isName()) throw cursor.unexpected();
  cursor.advance();
  if (token.text === '_') return variable(cursor.wildcard(), cursor.locate(token));
  if (token.text === 'set' && cursor.is('(') && !cursor.token.spaced && cursor.next.kind === ')') {
    cursor.advance();
    cursor.advance();
    return { type: 'set', items: [], location: cursor.since(token) };
  }
  return variable(token.text, cursor.locate(token));
};

const parseNegative = (cursor: Cursor): Term => {
  const minus = cursor.advance();
  const { token } = cursor;
  if (token.kind !== 'number') throw cursor.unexpected('expected number');
  cursor.advance();
  return scalar(numberFromText(`-${token.text}`), cursor.since(minus));
};

const parseParenthesized = (cursor: Cursor): Term => {
  cursor.advance();
  const term = parseInfix(cursor);
  cursor.expect(')');
  return term;
};

/** `$"…"`: its expressions are parsed where they stand. */
const parseTemplate = (cursor: Cursor): Term => {
  const token = cursor.advance();
  const parts = (token.parts ?? []).map((part) => {
    if (part.type === 'text') return part.text;
    const inner = new Cursor(cursor.source, part.tokens, cursor.version, cursor);
    if (inner.is('eof'))
      throw inner.error(token, 'invalid template-string expression: found empty expression');
    const expr = parseExpr(inner);
    if (!inner.is('eof')) throw inner.unexpected('expected }');
    return expr;
  });
  return { type: 'template', parts, multiline: token.multiline === true, location: cursor.locate(token) };
};

const parseArray = (cursor: Cursor): Term => {
  const open = cursor.advance();
  if (cursor.accept(']')) return { type: 'array', items: [], location: cursor.since(open) };
  const head = parseTerm(cursor);
  if (cursor.is('|')) {
    const body = tryComprehensionBody(cursor, ']');
    if (body !== undefined) {
      return { type: 'array comprehension', term: head, body, location: cursor.since(open) };
    }
  }
  const first = parseInfix(cursor, { inList: true, first: head });
  return { type: 'array', items: parseList(cursor, ']', first), location: cursor.since(open) };
};

/**
 * The body after `|` and the closing token. OPA reads `|` after a single term as a comprehension whenever it can;
 * when a comma follows it was the union operator after all, and nothing is taken.
 */
const tryComprehensionBody = (cursor: Cursor, close: ']' | '}') => {
  const mark = cursor.mark;
  cursor.advance();
  const body = parseBody(cursor, close, true);
  if (cursor.accept(close)) return body;
  if (!cursor.is(',') && !cursor.is(':')) throw cursor.unexpected(`expected ${close}`);
  cursor.restore(mark);
  return undefined;
};

const parseBraces = (cursor: Cursor): Term => {
  const open = cursor.advance();
  if (cursor.accept('}')) return { type: 'object', entries: [], location: cursor.since(open) };
  const head = parseTerm(cursor);
  if (cursor.is('|')) {
    const body = tryComprehensionBody(cursor, '}');
    if (body !== undefined)
      return { type: 'set comprehension', term: head, body, location: cursor.since(open) };
  }
  const first = cursor.is(':') ? head : parseInfix(cursor, { inList: true, first: head });
  if (cursor.is(':')) return parseObject(cursor, open, first);
  return { type: 'set', items: parseList(cursor, '}', first), location: cursor.since(open) };
};

const parseObject = (cursor: Cursor, open: Token, firstKey: Term): Term => {
  cursor.expect(':');
  const value = parseTerm(cursor);
  if (cursor.is('|')) {
    const body = tryComprehensionBody(cursor, '}');
    if (body !== undefined) {
      return { type: 'object comprehension', key: firstKey, value, body, location: cursor.since(open) };
    }
  }
  const entries: [Term, Term][] = [[firstKey, parseInfix(cursor, { inList: true, first: value })]];
  while (!cursor.accept('}')) {
    cursor.expect(',', 'expected , or }');
    if (cursor.accept('}')) break;
    const key = parseInfix(cursor, { inList: true });
    cursor.expect(':');
    entries.push([key, parseInfix(cursor, { inList: true })]);
  }
  return { type: 'object', entries, location: cursor.since(open) };
};
