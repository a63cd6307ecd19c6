/** The kinds of tokens; punctuation is named by itself. */
export type TokenKind =
  | 'eof'
  | 'ident'
  | 'keyword'
  | 'number'
  | 'string'
  | 'raw string'
  | 'template'
  | Punctuation;

export type Punctuation =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '='
  | ':='
  | '('
  | ')'
  | '['
  | ']'
  | '{'
  | '}'
  | '.'
  | ','
  | ';'
  | ':';

export interface Token {
  readonly kind: TokenKind;
  /** The name, the decoded string or the number as written. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly row: number;
  readonly column: number;
  /** The row on which it ends; raw strings have several. */
  readonly endRow: number;
  /** Whether white space or a comment stands before it. */
  readonly spaced: boolean;
  /** Of a template: texts, and where the expressions between them stand. */
  readonly parts?: readonly TemplatePart[];
  /** Of a template: in backticks. */
  readonly multiline?: boolean;
}

export type TemplatePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'expression'; readonly tokens: readonly Token[] };

/** Words that are keywords in every version. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  'as',
  'default',
  'else',
  'false',
  'import',
  'not',
  'null',
  'package',
  'some',
  'true',
  'with',
]);

/** Keywords of v1, which v0 has only when imported from `future.keywords`. */
export const FUTURE_KEYWORDS: ReadonlySet<string> = new Set(['contains', 'every', 'if', 'in']);
