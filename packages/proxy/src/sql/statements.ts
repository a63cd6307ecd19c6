import type { Token } from './lexer.ts';

/** What stands between a pair of brackets. */
export interface Group {
  readonly kind: 'group';
  readonly open: '(' | '[';
  readonly nodes: readonly SqlNode[];
}

export type SqlNode = Token | Group;

/** One statement: its tokens with the brackets resolved, so that a level can be read without what is nested in it. */
export interface Statement {
  readonly nodes: readonly SqlNode[];
  /** A semicolon inside brackets: only the actions of CREATE RULE have that. */
  readonly nestedSemicolon: boolean;
}

export type SplitResult =
  | { readonly kind: 'statements'; readonly statements: readonly Statement[] }
  | { readonly kind: 'malformed'; readonly reason: string };

const CLOSES = { '(': ')', '[': ']' } as const;

/** The statements of a text; empty ones are left out, as the server does. */
export function splitStatements(tokens: readonly Token[], maxDepth: number): SplitResult {
  const statements: Statement[] = [];
  const open: { bracket: '(' | '['; outer: SqlNode[] }[] = [];
  let nodes: SqlNode[] = [];
  let nestedSemicolon = false;
  const flush = (): void => {
    if (nodes.length > 0) statements.push({ nodes, nestedSemicolon });
    nodes = [];
    nestedSemicolon = false;
  };
  for (const token of tokens) {
    const symbol = token.kind === 'symbol' ? token.text : '';
    if (symbol === '(' || symbol === '[') {
      if (open.length >= maxDepth) return malformed('it is nested too deeply');
      open.push({ bracket: symbol, outer: nodes });
      nodes = [];
    } else if (symbol === ')' || symbol === ']') {
      const group = open.pop();
      if (group === undefined || CLOSES[group.bracket] !== symbol)
        return malformed('its brackets do not match');
      group.outer.push({ kind: 'group', open: group.bracket, nodes });
      nodes = group.outer;
    } else if (symbol === ';' && open.length === 0) flush();
    else {
      if (symbol === ';') nestedSemicolon = true;
      nodes.push(token);
    }
  }
  if (open.length > 0) return malformed('its brackets do not match');
  flush();
  return { kind: 'statements', statements };
}

const malformed = (reason: string): SplitResult => ({ kind: 'malformed', reason });

/** The text of an unquoted word; undefined for anything else. */
export const wordOf = (node: SqlNode | undefined): string | undefined =>
  node?.kind === 'word' ? node.text : undefined;

/** The text of an identifier, quoted or not. */
export const identifierOf = (node: SqlNode | undefined): string | undefined =>
  node?.kind === 'word' || node?.kind === 'name' ? node.text : undefined;

export const isSymbol = (node: SqlNode | undefined, text: string): boolean =>
  node?.kind === 'symbol' && node.text === text;

export const isGroup = (node: SqlNode | undefined): node is Group =>
  node?.kind === 'group' && node.open === '(';

/** Visits every token, those inside brackets included, without the brackets. */
export function forEachToken(nodes: readonly SqlNode[], visit: (token: Token) => void): void {
  for (const node of nodes) {
    if (node.kind === 'group') forEachToken(node.nodes, visit);
    else visit(node);
  }
}

/** A name of up to three parts (`table`, `schema.table`, `database.schema.table`) and where it ends. */
export interface QualifiedName {
  readonly parts: readonly string[];
  readonly end: number;
}

/** The name that begins at a place, if one does. */
export function nameAt(nodes: readonly SqlNode[], at: number): QualifiedName | undefined {
  const first = identifierOf(nodes[at]);
  if (first === undefined) return undefined;
  const parts = [first];
  let end = at + 1;
  while (isSymbol(nodes[end], '.')) {
    const part = identifierOf(nodes[end + 1]);
    if (part === undefined) break;
    parts.push(part);
    end += 2;
  }
  return { parts, end };
}
