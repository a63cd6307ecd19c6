import type { Body } from '../ast/expr.ts';
import { Source } from '../ast/location.ts';
import type { Import, Module, Package, RegoVersion, Rule } from '../ast/module.ts';
import type { Term } from '../ast/term.ts';
import { RegoError } from '../error.ts';
import { attachAnnotations, parseAnnotations } from './annotations.ts';
import { Cursor } from './cursor.ts';
import { parseBody } from './expressions.ts';
import { lex } from './lexer.ts';
import { parseRules } from './rules.ts';
import { parseNamed } from './terms.ts';
import { FUTURE_KEYWORDS } from './token.ts';

export interface ParseOptions {
  /** Longest text, in UTF-16 units; 4 Mi unless told. Larger tables belong into data, not into modules. */
  readonly maxLength?: number;
  /** `v1` unless told; `v0` knows `if`, `contains`, `in` and `every` only when they are imported. */
  readonly version?: RegoVersion;
}

/**
 * Parses a module.
 * @param file its name, for messages
 * Throws a RegoError (`rego_parse_error`).
 */
export const parseModule = (file: string, text: string, options: ParseOptions = {}): Module => {
  const source = checkedSource(file, text, options);
  const { tokens, comments } = lex(source);
  const cursor = new Cursor(source, tokens, options.version ?? 'v1');
  if (cursor.is('eof')) throw cursor.error(cursor.token, 'empty module');
  const pkg = parsePackage(cursor);
  const imports = parseImports(cursor);
  const rules: Rule[] = [];
  while (!cursor.is('eof')) {
    for (const rule of parseRules(cursor)) rules.push(rule);
    if (!cursor.is('eof') && !cursor.accept(';') && !cursor.atLineStart) throw cursor.unexpected();
  }
  const annotations = parseAnnotations(comments);
  const version = imports.some(isRegoV1) ? 'v1' : cursor.version;
  return attachAnnotations({ source, version, package: pkg, imports, rules, comments, annotations });
};

/**
 * Parses a query: the statements of a body.
 * Throws a RegoError (`rego_parse_error`).
 */
export const parseQuery = (text: string, options: ParseOptions = {}): Body => {
  const source = checkedSource('', text, options);
  const cursor = new Cursor(source, lex(source).tokens, options.version ?? 'v1');
  return parseBody(cursor, 'eof');
};

const DEFAULT_MAX_LENGTH = 4 * 1024 * 1024;

const checkedSource = (
  file: string,
  text: string,
  { maxLength = DEFAULT_MAX_LENGTH }: ParseOptions,
): Source => {
  const source = new Source(file, text);
  if (text.length <= maxLength) return source;
  const location = { source: new Source(file, ''), row: 1, column: 1, start: 0, end: 0 };
  throw new RegoError('rego_parse_error', `the text is longer than ${maxLength} characters`, location);
};

const parsePackage = (cursor: Cursor): Package => {
  const { token } = cursor;
  if (!cursor.acceptKeyword('package')) throw cursor.unexpected('package expected');
  const term = parseNamed(cursor);
  const path = staticPath(term);
  if (path === undefined) throw cursor.error(token, 'package name must be a constant reference');
  return { path, location: cursor.since(token) };
};

/** The names of a reference without variables. */
const staticPath = (term: Term): readonly string[] | undefined => {
  if (term.type === 'var') return [term.name];
  if (term.type !== 'ref' || term.head.type !== 'var') return undefined;
  const path = [term.head.name];
  for (const part of term.path) {
    if (part.type !== 'scalar' || typeof part.value !== 'string') return undefined;
    path.push(part.value);
  }
  return path;
};

const parseImports = (cursor: Cursor): readonly Import[] => {
  const imports: Import[] = [];
  for (;;) {
    while (cursor.accept(';'));
    if (!cursor.isKeyword('import')) return imports;
    imports.push(parseImport(cursor));
  }
};

const ROOTS: ReadonlySet<string> = new Set(['data', 'input', 'future', 'rego']);

const parseImport = (cursor: Cursor): Import => {
  const token = cursor.advance();
  const term = parseNamed(cursor);
  const names = staticPath(term);
  const root = names?.[0];
  if (names === undefined || root === undefined || !ROOTS.has(root)) {
    throw cursor.error(
      token,
      `unexpected import path, must begin with one of: {data, future, input, rego}, got: ${root}`,
    );
  }
  const path =
    term.type === 'ref' ? term : { type: 'ref' as const, head: term, path: [], location: term.location };
  checkImport(cursor, names);
  if (!cursor.acceptKeyword('as')) return { path, location: cursor.since(token) };
  const alias = cursor.expect('ident', 'expected var');
  return { path, alias: alias.text, location: cursor.since(token) };
};

const checkImport = (cursor: Cursor, names: readonly string[]): void => {
  const [root, second, word] = names;
  if (root === 'rego') {
    if (second !== 'v1' || names.length > 2) {
      throw cursor.error(cursor.previous, `invalid import \`${names.join('.')}\`, must be \`rego.v1\``);
    }
    cursor.activate(FUTURE_KEYWORDS);
  }
  if (root !== 'future') return;
  if (second !== 'keywords') throw cursor.error(cursor.previous, 'invalid import, must be `future.keywords`');
  if (word !== undefined && !FUTURE_KEYWORDS.has(word)) {
    throw cursor.error(cursor.previous, `unexpected keyword, must be one of [contains every if in]`);
  }
  cursor.activate(word === undefined ? FUTURE_KEYWORDS : word === 'every' ? ['every', 'in'] : [word]);
};

const isRegoV1 = ({ path }: Import): boolean => path.head.type === 'var' && path.head.name === 'rego';
