import type { Body } from '../ast/expr.ts';
import type { Head, Rule } from '../ast/module.ts';
import { type RefTerm, reference, type Term } from '../ast/term.ts';
import { RegoError } from '../error.ts';
import type { Cursor } from './cursor.ts';
import { parseBody, parseExpr, parseInfix } from './expressions.ts';
import { parseNamed } from './terms.ts';
import type { Token } from './token.ts';

/** One rule; in v0 several bodies after one head make several. */
export const parseRules = (cursor: Cursor): readonly Rule[] => {
  const { token } = cursor;
  if (cursor.acceptKeyword('default')) return [parseDefault(cursor, token)];
  const head = parseHead(cursor);
  const { body, conditional } = parseRuleBody(cursor, head);
  const otherwise = hasBody({ body, conditional }) ? parseElse(cursor, head) : undefined;
  const rule: Rule = {
    default: false,
    head,
    body,
    conditional,
    location: cursor.since(token),
    annotations: [],
    ...(otherwise === undefined ? {} : { else: otherwise }),
  };
  return otherwise === undefined ? [rule, ...parseChained(cursor, rule)] : [rule];
};

const parseDefault = (cursor: Cursor, start: Token): Rule => {
  const head = parseHead(cursor);
  if (head.key !== undefined || head.value === undefined) {
    throw cursor.error(start, 'default rules must have a value and no key');
  }
  if (cursor.is('{') || cursor.isKeyword('if')) throw cursor.unexpected('default rules must not have a body');
  return {
    default: true,
    head,
    body: [],
    conditional: false,
    location: cursor.since(start),
    annotations: [],
  };
};

const parseHead = (cursor: Cursor): Head => {
  const { token } = cursor;
  const named = parseNamed(cursor, 'expected rule head');
  const ref = headRef(cursor, token, named);
  const args = named.type === 'call' ? { args: named.args } : {};
  if (cursor.acceptKeyword('contains')) {
    const key = parseInfix(cursor);
    return { ref, ...args, key, assign: false, location: cursor.since(token) };
  }
  const assign = cursor.is(':=');
  if (cursor.accept(':=') || cursor.accept('=')) {
    const value = parseInfix(cursor);
    return { ref, ...args, value, assign, location: cursor.since(token) };
  }
  const head: Head = { ref, ...args, assign: false, location: cursor.since(token) };
  return cursor.version === 'v0' ? asLegacySet(cursor, head) : head;
};

const headRef = (cursor: Cursor, token: Token, named: Term): RefTerm => {
  const term = named.type === 'call' ? named.operator : named;
  if (term.type === 'var') return reference(term, [], term.location);
  if (term.type === 'ref' && term.head.type === 'var') return term;
  throw cursor.error(token, 'rule head must be a name, a reference or a function');
};

/** In v0, `p[x] { … }` without a value is a partial set. */
const asLegacySet = (cursor: Cursor, head: Head): Head => {
  const [key, ...others] = head.ref.path;
  const bracketed = key !== undefined && cursor.source.text[key.location.start - 1] !== '.';
  if (!bracketed || others.length > 0 || head.args !== undefined || cursor.isKeyword('if')) return head;
  return { ...head, ref: reference(head.ref.head, [], head.ref.head.location), key };
};

interface RuleBody {
  readonly body: Body;
  readonly conditional: boolean;
}

const parseRuleBody = (cursor: Cursor, head: Head): RuleBody => {
  if (cursor.acceptKeyword('if')) return { body: parseCondition(cursor), conditional: true };
  if (cursor.is('{') && !cursor.atLineStart) {
    if (cursor.version === 'v1') throw cursor.unexpected('`if` keyword is required before rule body');
    return { body: parseBraced(cursor), conditional: false };
  }
  const bare = head.value === undefined && head.key === undefined;
  if (bare && head.args === undefined && head.ref.path.length === 0) {
    throw cursor.error(cursor.previous, 'var cannot be used for rule name');
  }
  if (bare && cursor.version === 'v1' && !cursor.isKeyword('else')) {
    throw cursor.error(cursor.previous, '`if` keyword or a value is required');
  }
  return { body: [], conditional: false };
};

const parseBraced = (cursor: Cursor): Body => {
  cursor.expect('{');
  const body = parseBody(cursor, '}');
  cursor.expect('}');
  return body;
};

/** What follows `if`: a body in braces or one statement, which may begin with a brace itself. */
const parseCondition = (cursor: Cursor): Body => {
  if (!cursor.is('{')) return [parseExpr(cursor)];
  const mark = cursor.mark;
  const empty = cursor.next.kind === '}';
  let failure: RegoError;
  try {
    return parseBraced(cursor);
  } catch (error) {
    if (!(error instanceof RegoError) || empty) throw error;
    failure = error;
  }
  cursor.restore(mark);
  try {
    return [parseExpr(cursor)];
  } catch (error) {
    // Neither reading fits; what is wrong with the more likely one is more useful.
    throw error instanceof RegoError ? failure : error;
  }
};

const hasBody = ({ body, conditional }: RuleBody): boolean => conditional || body.length > 0;

/** The whole chain of `else`, each as a rule with the same head but its own value. */
const parseElse = (cursor: Cursor, head: Head): Rule | undefined => {
  const links: Rule[] = [];
  // Only what has a body can have an alternative.
  while (cursor.isKeyword('else') && (links.length === 0 || hasBody(links.at(-1)!))) {
    links.push(parseOneElse(cursor, head));
  }
  return links.reduceRight<Rule | undefined>(
    (after, link) => (after === undefined ? link : { ...link, else: after }),
    undefined,
  );
};

const parseOneElse = (cursor: Cursor, head: Head): Rule => {
  const token = cursor.advance();
  const assign = cursor.is(':=');
  const value = cursor.accept(':=') || cursor.accept('=') ? { value: parseInfix(cursor) } : {};
  const { ref, args } = head;
  const ownHead: Head = {
    ref,
    assign,
    ...(args === undefined ? {} : { args }),
    ...value,
    location: cursor.since(token),
  };
  const { body, conditional } = parseElseBody(cursor);
  return { default: false, head: ownHead, body, conditional, location: cursor.since(token), annotations: [] };
};

const parseElseBody = (cursor: Cursor): RuleBody => {
  if (cursor.acceptKeyword('if')) return { body: parseCondition(cursor), conditional: true };
  if (cursor.is('{') && !cursor.atLineStart) {
    if (cursor.version === 'v1') throw cursor.unexpected('`if` keyword is required before rule body');
    return { body: parseBraced(cursor), conditional: false };
  }
  return { body: [], conditional: false };
};

/** v0: `p { a } { b }` is two rules. */
const parseChained = (cursor: Cursor, rule: Rule): readonly Rule[] => {
  const rules: Rule[] = [];
  while (cursor.version === 'v0' && cursor.is('{') && rule.body.length > 0) {
    const { token } = cursor;
    rules.push({ ...rule, body: parseBraced(cursor), location: cursor.since(token) });
  }
  return rules;
};
