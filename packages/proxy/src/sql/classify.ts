import type { SqlEffect, SqlStatement } from '@openshell/policy';
import { functionEffect } from './functions.ts';
import { type LexicalState, tokenize } from './lexer.ts';
import { type Modification, scanStatement, TooManyNames, tableName } from './scan.ts';
import { asksToWrite, classifySet } from './set-statement.ts';
import { shown } from './settings.ts';
import {
  forEachToken,
  identifierOf,
  isGroup,
  nameAt,
  type SqlNode,
  type Statement,
  splitStatements,
  wordOf,
} from './statements.ts';

export interface ClassifyContext extends LexicalState {
  /** Some rule names tables: a statement that hides which tables it concerns is malformed. */
  readonly tableRules: boolean;
  readonly bounds: ClassifyBounds;
}

export interface ClassifyBounds {
  /** Brackets within brackets. */
  readonly depth: number;
  /** Statements of one text, and tables in them. */
  readonly statements: number;
  /** Tables, and changes, of one statement. */
  readonly names: number;
}

/** What one statement is, for policy and for the session. One statement can be several to policy: a query with a DELETE in it, a call of `nextval`. */
export interface ClassifiedStatement {
  readonly statements: readonly SqlStatement[];
  /** SQL's own PREPARE: the name under which `statements` can be executed later. */
  readonly prepares?: string;
  /** EXECUTE: the name of what is executed besides. */
  readonly executes?: string;
  /** Names of later statements may be in another encoding than UTF-8. */
  readonly leavesUtf8?: true;
}

export type Classification =
  /** Empty where the text holds nothing but comments: some drivers send that as a sign of life. */
  | { readonly kind: 'classified'; readonly statements: readonly ClassifiedStatement[] }
  | { readonly kind: 'malformed'; readonly reason: string };

/** What the statements of a text do, or why that cannot be said for sure. Pure. */
export function classify(text: string, context: ClassifyContext): Classification {
  const lexed = tokenize(text, context);
  if (lexed.kind === 'malformed') return lexed;
  const split = splitStatements(lexed.tokens, context.bounds.depth);
  if (split.kind === 'malformed') return split;
  const statements: ClassifiedStatement[] = [];
  let parts = 0;
  for (const statement of split.statements) {
    const classified = bounded(statement, context);
    if ('reason' in classified) return { kind: 'malformed', reason: classified.reason };
    statements.push(classified);
    for (const { tables } of classified.statements) parts += 1 + tables.length;
    if (parts > context.bounds.statements) {
      return {
        kind: 'malformed',
        reason: `it has more than ${context.bounds.statements} statements and tables`,
      };
    }
  }
  return { kind: 'classified', statements };
}

/** Why a statement is not understood. */
export interface NotUnderstood {
  readonly reason: string;
}

type Outcome = ClassifiedStatement | NotUnderstood;

function bounded(statement: Statement, context: ClassifyContext): Outcome {
  try {
    return classifyStatement(statement, context);
  } catch (error) {
    if (error instanceof TooManyNames) return { reason: `it names more than ${context.bounds.names} tables` };
    throw error;
  }
}

function classifyStatement({ nodes, nestedSemicolon }: Statement, context: ClassifyContext): Outcome {
  const outcome = classifyNodes(nodes, context);
  if ('reason' in outcome) return outcome;
  if (nestedSemicolon && outcome.statements[0]?.command !== 'CREATE RULE') {
    return { reason: 'it has a semicolon inside brackets' };
  }
  if (!context.tableRules) return outcome;
  const hidden = outcome.statements.find(({ command, effect, tables }) =>
    hidesTables(command, effect, tables),
  );
  return hidden === undefined
    ? outcome
    : { reason: `${hidden.command} does not show which tables it concerns, while rules name tables` };
}

function classifyNodes(nodes: readonly SqlNode[], context: ClassifyContext): Outcome {
  const first = nodes[0];
  if (isGroup(first)) return query(nodes, context);
  const word = wordOf(first);
  if (word === undefined) return { reason: 'it does not begin with a command' };
  switch (word) {
    case 'select':
    case 'values':
    case 'with':
    case 'table':
      return query(nodes, context);
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return modification(nodes, word, context);
    case 'explain':
      return explain(nodes, context);
    case 'copy':
      return copy(nodes, context);
    case 'prepare':
      return prepare(nodes, context);
    case 'execute':
      return execute(nodes, context);
    case 'declare':
      return declare(nodes, context);
    case 'begin':
    case 'start':
    case 'commit':
    case 'end':
    case 'rollback':
    case 'abort':
    case 'savepoint':
    case 'release':
      return transaction(nodes, word);
    case 'set':
    case 'reset':
      return classifySet(nodes, context);
    case 'show':
    case 'fetch':
    case 'move':
    case 'close':
    case 'deallocate':
    case 'discard':
    case 'unlisten':
      return single(word.toUpperCase(), 'read', [], nodes);
    default:
      return other(nodes, word, context);
  }
}

const single = (
  command: string,
  effect: SqlEffect,
  tables: Iterable<string>,
  nodes: readonly SqlNode[],
): ClassifiedStatement => ({ statements: [{ command, effect, tables: [...tables] }, ...calls(nodes)] });

/** Functions that change something, as statements of their own: a rule for SELECT does not admit them. */
function calls(nodes: readonly SqlNode[]): SqlStatement[] {
  const found = new Map<string, SqlStatement>();
  forEachToken(nodes, (token) => {
    // By name alone: `('x').f` can be a call as well.
    const name = identifierOf(token);
    const effect = name === undefined ? undefined : functionEffect(name);
    if (effect !== undefined)
      found.set(name!, { command: `FUNCTION ${name!.toUpperCase()}`, effect, tables: [] });
  });
  return [...found.values()];
}

const changes = (modifications: readonly Modification[]): SqlStatement[] =>
  modifications.map(({ command, tables }) => ({ command, effect: 'write', tables: [...tables] }));

/** SELECT, VALUES, TABLE and WITH, in brackets or not. */
function query(nodes: readonly SqlNode[], { bounds }: ClassifyContext): ClassifiedStatement {
  const { tables, modifications, into, locks } = scanStatement(nodes, { maxNames: bounds.names });
  const command = into ? 'SELECT INTO' : locks === undefined ? 'SELECT' : `SELECT FOR ${locks}`;
  const effect = into ? 'other' : locks !== undefined || modifications.length > 0 ? 'write' : 'read';
  return {
    statements: [{ command, effect, tables: [...tables] }, ...changes(modifications), ...calls(nodes)],
  };
}

function modification(nodes: readonly SqlNode[], word: string, { bounds }: ClassifyContext): Outcome {
  const { tables, modifications, into } = scanStatement(nodes, { maxNames: bounds.names });
  const command = word.toUpperCase();
  // The statement itself is the first that is found; without one the text is nothing that the server would take.
  if (modifications[0]?.command !== command || tables.size === 0 || into) {
    return { reason: `it is not a complete ${command}` };
  }
  return {
    statements: [
      { command, effect: 'write', tables: [...tables] },
      ...changes(modifications.slice(1)),
      ...calls(nodes),
    ],
  };
}

const EXPLAINED = new Set([
  ...[
    'select',
    'values',
    'with',
    'table',
    'insert',
    'update',
    'delete',
    'merge',
    'declare',
    'create',
    'refresh',
  ],
  'execute',
]);

/** With ANALYZE the statement is executed, so it counts as itself; else it is only planned. */
function explain(nodes: readonly SqlNode[], context: ClassifyContext): Outcome {
  let at = 1;
  let analyze = false;
  const options = nodes[1];
  const first = isGroup(options) ? options.nodes[0] : undefined;
  const begun = isGroup(first) || EXPLAINED.has(wordOf(first) ?? '');
  if (isGroup(options) && !begun) {
    analyze = options.nodes.some(isAnalyze);
    at = 2;
  } else {
    for (; ['analyze', 'analyse', 'verbose'].includes(wordOf(nodes[at]) ?? ''); at++)
      analyze ||= isAnalyze(nodes[at]);
  }
  const inner = nodes.slice(at);
  if (!isGroup(inner[0]) && !EXPLAINED.has(wordOf(inner[0]) ?? ''))
    return { reason: 'it explains nothing that is known' };
  const explained = classifyNodes(inner, context);
  if (analyze || 'reason' in explained) return explained;
  const tables = new Set(explained.statements.flatMap((statement) => statement.tables));
  return single('EXPLAIN', 'read', tables, nodes);
}

const isAnalyze = (node: SqlNode | undefined): boolean =>
  ['analyze', 'analyse'].includes(identifierOf(node)?.toLowerCase() ?? '');

/** `COPY [BINARY] table [(columns)] | (query) FROM | TO where ...` */
function copy(nodes: readonly SqlNode[], context: ClassifyContext): Outcome {
  let at =
    wordOf(nodes[1]) === 'binary' && identifierOf(nodes[2]) !== undefined && !isDirection(nodes[2]) ? 2 : 1;
  const source = nodes[at];
  let tables: Iterable<string>;
  let inner: readonly SqlStatement[] = [];
  if (isGroup(source)) {
    const { statements } = query(source.nodes, context);
    tables = statements[0]!.tables;
    inner = statements;
    at++;
  } else {
    const name = nameAt(nodes, at);
    if (name === undefined) return { reason: 'it copies nothing that is known' };
    tables = [tableName(name.parts)];
    at = name.end + (isGroup(nodes[name.end]) ? 1 : 0);
  }
  const direction = wordOf(nodes[at]);
  if (direction !== 'from' && direction !== 'to') return { reason: 'it copies neither from nor to anything' };
  const far = nodes[at + 1];
  const command = `COPY ${direction.toUpperCase()}`;
  const effect =
    direction === 'from' || inner.some((statement) => statement.effect !== 'read') ? 'write' : 'read';
  // A condition behind COPY FROM has functions and tables too.
  const more = scanStatement(nodes.slice(at + 2), { maxNames: context.bounds.names }).tables;
  const all = new Set([...tables, ...more]);
  const besides = [
    ...inner.slice(1).filter(({ command }) => !command.startsWith('FUNCTION ')),
    ...calls(nodes),
  ];
  const as = (name: string, what: SqlEffect): Outcome => ({
    statements: [{ command: name, effect: what, tables: [...all] }, ...besides],
  });
  if (far?.kind === 'string') return as(`${command} FILE`, 'other');
  const word = wordOf(far);
  if (word === 'program') return as(`${command} PROGRAM`, 'other');
  if (word === 'stdin' || word === 'stdout') return as(command, effect);
  return { reason: 'it copies from or to something that is not known' };
}

const isDirection = (node: SqlNode | undefined): boolean => ['from', 'to'].includes(wordOf(node) ?? '');

/** `PREPARE TRANSACTION 'id'`, or `PREPARE name [(types)] AS statement`: what counts is the statement. */
function prepare(nodes: readonly SqlNode[], context: ClassifyContext): Outcome {
  if (wordOf(nodes[1]) === 'transaction' && nodes[2]?.kind === 'string') {
    return single('PREPARE TRANSACTION', 'write', [], nodes);
  }
  const name = identifierOf(nodes[1]);
  const at = isGroup(nodes[2]) ? 3 : 2;
  if (name === undefined || wordOf(nodes[at]) !== 'as')
    return { reason: 'it prepares nothing that is known' };
  const inner = classifyNodes(nodes.slice(at + 1), context);
  return 'reason' in inner ? inner : { ...inner, prepares: name };
}

function execute(nodes: readonly SqlNode[], { bounds }: ClassifyContext): Outcome {
  const name = identifierOf(nodes[1]);
  if (name === undefined) return { reason: 'it executes nothing that is known' };
  const tables = scanStatement(nodes.slice(2), { maxNames: bounds.names }).tables;
  return { ...single('EXECUTE', 'read', tables, nodes), executes: name };
}

/** `DECLARE name ... CURSOR ... FOR query`: what counts is the query. */
function declare(nodes: readonly SqlNode[], context: ClassifyContext): Outcome {
  const cursor = nodes.findIndex((node, at) => at > 1 && wordOf(node) === 'cursor');
  const at = nodes.findIndex((node, index) => index > cursor && wordOf(node) === 'for');
  if (cursor < 0 || at < 0) return { reason: 'it declares nothing that is known' };
  const inner = nodes.slice(at + 1);
  const starts = isGroup(inner[0]) || ['select', 'values', 'with', 'table'].includes(wordOf(inner[0]) ?? '');
  return starts ? query(inner, context) : { reason: 'it declares a cursor for something that is no query' };
}

function transaction(nodes: readonly SqlNode[], word: string): Outcome {
  const words = nodes.map((node) => wordOf(node) ?? '');
  if (word === 'start' && words[1] !== 'transaction') return { reason: 'it starts nothing that is known' };
  const prepared = words[1] === 'prepared';
  const writes = prepared || asksToWrite(nodes);
  const command = [word, ...(word === 'start' ? ['transaction'] : []), ...(prepared ? ['prepared'] : [])];
  return single(command.join(' ').toUpperCase(), writes ? 'write' : 'read', [], nodes);
}

/** Words of CREATE, ALTER and DROP that do not say what is created. */
const QUALIFIERS = new Set([
  ...['or', 'replace', 'temporary', 'temp', 'unlogged', 'local', 'global', 'unique', 'recursive', 'trusted'],
  ...['procedural', 'constraint'],
]);
const TWO_WORDS = new Set([
  ...['materialized', 'foreign', 'event', 'text', 'user', 'access', 'default', 'operator', 'large'],
]);
const SECOND_WORDS = new Set([
  ...[
    'view',
    'table',
    'data',
    'trigger',
    'search',
    'mapping',
    'method',
    'privileges',
    'class',
    'family',
    'object',
  ],
]);
const LISTED = new Set(['drop', 'truncate', 'lock', 'grant', 'revoke', 'vacuum', 'analyze', 'analyse']);
const OTHER_COMMANDS = new Set([
  ...[
    'create',
    'alter',
    'drop',
    'grant',
    'revoke',
    'comment',
    'security',
    'truncate',
    'lock',
    'listen',
    'notify',
  ],
  ...[
    'do',
    'call',
    'vacuum',
    'analyze',
    'analyse',
    'reindex',
    'cluster',
    'refresh',
    'checkpoint',
    'load',
    'import',
  ],
  'reassign',
]);

/** Everything that is neither reading nor changing rows. */
function other(nodes: readonly SqlNode[], word: string, { bounds }: ClassifyContext): Outcome {
  if (!OTHER_COMMANDS.has(word))
    return { reason: `${shown(word.toUpperCase())} is not a command that is known` };
  const command = otherCommand(nodes, word);
  const options = { maxNames: bounds.names, schema: true, lists: LISTED.has(word) };
  // These name their tables at once, with or without the word TABLE; GRANT and the others behind ON or TABLE.
  const direct = ['truncate', 'lock', 'vacuum', 'analyze', 'analyse', 'cluster'].includes(word);
  const scanned = direct ? [{ kind: 'word', text: 'table' } as const, ...namesOf(nodes)] : nodes;
  const { tables, modifications } = scanStatement(scanned, options);
  const executed = nodes.findIndex(
    (node, at) => wordOf(node) === 'execute' && wordOf(nodes[at - 1]) === 'as',
  );
  const executes = executed < 0 ? undefined : identifierOf(nodes[executed + 1]);
  return {
    statements: [
      { command, effect: 'other', tables: [...tables] },
      ...changes(modifications),
      ...calls(nodes),
    ],
    ...(executes !== undefined && { executes }),
  };
}

/** What follows the command of TRUNCATE, LOCK, VACUUM, ...: without options in brackets and the word TABLE. */
function namesOf(nodes: readonly SqlNode[]): readonly SqlNode[] {
  let at = 1;
  while (
    isGroup(nodes[at]) ||
    ['table', 'full', 'freeze', 'verbose', 'analyze', 'analyse'].includes(wordOf(nodes[at]) ?? '')
  )
    at++;
  return nodes.slice(at);
}

function otherCommand(nodes: readonly SqlNode[], word: string): string {
  const plain = word === 'analyse' ? 'analyze' : word;
  if (word === 'refresh') return 'REFRESH MATERIALIZED VIEW';
  if (['reassign', 'security', 'import', 'reindex'].includes(word))
    return [plain, secondWord(nodes, 1)].join(' ').toUpperCase().trim();
  if (!['create', 'alter', 'drop'].includes(word)) return plain.toUpperCase();
  let at = 1;
  while (QUALIFIERS.has(wordOf(nodes[at]) ?? '')) at++;
  const words = [plain, secondWord(nodes, at)];
  if (TWO_WORDS.has(words[1]!) && SECOND_WORDS.has(secondWord(nodes, at + 1))) {
    words.push(secondWord(nodes, at + 1));
    if (words[2] === 'data') words.push('wrapper');
  }
  return words.join(' ').toUpperCase().trim();
}

const secondWord = (nodes: readonly SqlNode[], at: number): string =>
  wordOf(nodes.slice(at).find((node) => !isGroup(node))) ?? '';

/** Statements of the schema that say all their tables. */
const SHOWS_TABLES =
  /^(?:(?:CREATE|ALTER|DROP) (?:TABLE|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE|POLICY|STATISTICS|RULE)|CREATE INDEX|CREATE TRIGGER|DROP TRIGGER|SELECT INTO|TRUNCATE|LOCK|COMMENT|GRANT|REVOKE|VACUUM|ANALYZE|CLUSTER|REINDEX TABLE|REFRESH MATERIALIZED VIEW|COPY (?:TO|FROM) FILE|COPY TO PROGRAM)$/;
const NEEDS_NO_TABLE =
  /^(?:LISTEN|NOTIFY|CHECKPOINT|FUNCTION PG_(?:NOTIFY|TERMINATE_BACKEND|CANCEL_BACKEND))$/;

const hidesTables = (command: string, effect: SqlEffect, tables: readonly string[]): boolean => {
  if (effect !== 'other' || NEEDS_NO_TABLE.test(command)) return false;
  return !SHOWS_TABLES.test(command) || tables.length === 0 || tables.includes('all');
};
