import { type Group, identifierOf, isGroup, isSymbol, nameAt, type SqlNode, wordOf } from './statements.ts';

/** A part of a statement that changes rows, a CTE for example, which rules for its command must admit too. */
export interface Modification {
  readonly command: 'INSERT' | 'UPDATE' | 'DELETE' | 'MERGE';
  readonly tables: Set<string>;
}

/** What a statement does with tables. */
export interface Findings {
  readonly tables: Set<string>;
  readonly modifications: Modification[];
  /** SELECT ... INTO: makes a table. */
  into: boolean;
  /** FOR UPDATE and FOR SHARE lock rows. */
  locks: 'UPDATE' | 'SHARE' | undefined;
}

export interface ScanOptions {
  /** Tables, and changes, of one statement. */
  readonly maxNames: number;
  /** Also the places where statements of the schema name tables. */
  readonly schema?: boolean;
  /** A comma behind such a name is followed by another one. */
  readonly lists?: boolean;
}

/** The CTEs that a name can mean: those of a level and of the levels around it. */
class Scope {
  readonly #outer: Scope | undefined;
  readonly #names = new Set<string>();

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  add(name: string): void {
    this.#names.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(name) || (this.#outer?.has(name) ?? false);
  }
}

const NO_NAMES = new Scope();

/**
 * Finds every table that a statement names. It reads the skeleton of a query (FROM, JOIN, INTO, WITH, ...), not the expressions: what
 * is not surely something else counts as a table, so that a rule about tables is never dodged, at the price of a
 * name too many now and then.
 */
export function scanStatement(nodes: readonly SqlNode[], options: ScanOptions): Findings {
  const findings: Findings = { tables: new Set(), modifications: [], into: false, locks: undefined };
  new Scanner(findings, options).level(nodes, NO_NAMES, 'query');
  return findings;
}

/** A statement with more names than there may be. Caught where statements are classified. */
export class TooManyNames extends Error {}

/** A table as rules write it. A part that could be mistaken for more or less than itself stays in quotes. */
export function tableName(parts: readonly string[]): string {
  const plain = parts
    .slice(-2)
    .map((part) => (/[."*]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part));
  return plain.join('.');
}

/** What a level is: `items`: a parenthesised part of a FROM list. `arguments`: those of a function with FROM between them. */
type LevelKind = 'query' | 'items' | 'arguments';

/** Functions with a key word FROM (section 9.4, 9.9 of the manual). Their arguments never hold a query without brackets. */
const FROM_FUNCTIONS = new Set(['extract', 'substring', 'trim', 'overlay', 'position']);
const QUERY_STARTS = new Set(['select', 'with', 'values', 'table', 'insert', 'update', 'delete', 'merge']);
/** Reserved words that end a FROM list. None of them can be an alias, or stand in a join's condition. */
const ENDS_FROM = new Set([
  ...[
    'where',
    'group',
    'having',
    'window',
    'union',
    'intersect',
    'except',
    'order',
    'limit',
    'offset',
    'fetch',
  ],
  ...['returning', 'select', 'do'],
]);
/** Reserved words, which are no table: a name of a table does not begin here. */
const NO_TABLE = new Set([
  ...ENDS_FROM,
  ...[
    'for',
    'from',
    'into',
    'on',
    'using',
    'join',
    'as',
    'with',
    'table',
    'column',
    'and',
    'or',
    'not',
    'when',
    'then',
  ],
  ...[
    'else',
    'end',
    'case',
    'to',
    'all',
    'constraint',
    'check',
    'primary',
    'unique',
    'foreign',
    'references',
  ],
]);
/** Before the name of a table in statements of the schema. */
const NAMES_FOLLOW = new Set([
  'view',
  'sequence',
  'references',
  'like',
  'inherit',
  'of',
  'truncate',
  'cluster',
]);
/** Behind ON, where no table follows: events and actions. */
const NO_TABLE_AFTER_ON = new Set(['delete', 'update', 'insert', 'commit', 'conflict', 'select', 'truncate']);
/** `DO UPDATE`, `THEN UPDATE` and locks, which change or keep what was named already. */
const NOT_BEFORE_UPDATE = new Set(['do', 'then', 'for', 'key']);
const BEFORE_NAMES = new Set(['only', 'lateral']);
const BEFORE_SCHEMA_NAMES = new Set([
  'only',
  'concurrently',
  'verbose',
  'full',
  'freeze',
  'analyze',
  'analyse',
]);
const TEMPORARY = new Set(['temporary', 'temp', 'unlogged', 'local', 'global', 'table']);

class Scanner {
  readonly #findings: Findings;
  readonly #options: ScanOptions;
  /** Where a table found now is written down: the statement and every modification around it. */
  readonly #collectors: Set<string>[];

  constructor(findings: Findings, options: ScanOptions) {
    this.#findings = findings;
    this.#options = options;
    this.#collectors = [findings.tables];
  }

  level(nodes: readonly SqlNode[], outer: Scope, kind: LevelKind): void {
    const depth = this.#collectors.length;
    new Level(this, nodes, outer, kind).run();
    this.#collectors.length = depth;
  }

  get options(): ScanOptions {
    return this.#options;
  }

  table(parts: readonly string[]): void {
    for (const collector of this.#collectors) collector.add(tableName(parts));
    if (this.#findings.tables.size > this.#options.maxNames) throw new TooManyNames();
  }

  /** Until the end of the level. */
  modification(command: Modification['command']): void {
    const tables = new Set<string>();
    if (this.#findings.modifications.push({ command, tables }) > this.#options.maxNames)
      throw new TooManyNames();
    this.#collectors.push(tables);
  }

  into(): void {
    this.#findings.into = true;
  }

  lock(strength: 'UPDATE' | 'SHARE'): void {
    if (this.#findings.locks !== 'UPDATE') this.#findings.locks = strength;
  }
}

/** What may come next: a table that a CTE can stand for, a table that is really one, or neither. */
type Expected = 'item' | 'target' | undefined;

/** Reads the nodes between one pair of brackets, or of the whole statement. */
class Level {
  readonly #scanner: Scanner;
  readonly #nodes: readonly SqlNode[];
  readonly #kind: LevelKind;
  #scope: Scope;
  #at = 0;
  #expected: Expected;
  /** In a FROM list: a comma is followed by another item. */
  #inList: boolean;
  #verb: string | undefined;
  #usingSeen = false;
  #selectSeen = false;
  /** The node before is the key word AS (and not a column of that name): a name follows, whatever the word. */
  #afterAs = false;

  constructor(scanner: Scanner, nodes: readonly SqlNode[], outer: Scope, kind: LevelKind) {
    this.#scanner = scanner;
    this.#nodes = nodes;
    this.#scope = outer;
    this.#kind = kind;
    this.#inList = kind === 'items';
    this.#expected = kind === 'items' ? 'item' : undefined;
  }

  run(): void {
    while (this.#at < this.#nodes.length) {
      if (this.#expected !== undefined && this.#item(this.#expected)) continue;
      const node = this.#nodes[this.#at];
      if (node === undefined) return;
      const isKeyWord = node.kind === 'word' && !this.#isLabel(node.text);
      this.#afterAs = isKeyWord && node.text === 'as';
      if (node.kind === 'group') this.#group(node);
      else if (isKeyWord) this.#word(node.text);
      else if (this.#inList && isSymbol(node, ',')) this.#expected = 'item';
      this.#at++;
    }
  }

  /** A table, function or subquery at this place. False: there is none, and the node is to be read as any other. */
  #item(expected: 'item' | 'target'): boolean {
    const { schema = false } = this.#scanner.options;
    const skipped = schema ? BEFORE_SCHEMA_NAMES : BEFORE_NAMES;
    if (schema) this.#skipExistence();
    while (skipped.has(wordOf(this.#nodes[this.#at]) ?? '')) this.#at++;
    if (schema) this.#skipExistence();
    this.#expected = undefined;
    this.#afterAs = false;
    const node = this.#nodes[this.#at];
    if (isGroup(node)) {
      const query = QUERY_STARTS.has(wordOf(node.nodes[0]) ?? '');
      const scope = expected === 'item' ? this.#scope : NO_NAMES;
      this.#scanner.level(node.nodes, scope, query ? 'query' : 'items');
      this.#at++;
      return true;
    }
    if (wordOf(node) === 'rows' && this.#wordAt(1) === 'from') {
      this.#at += 2;
      return true;
    }
    if (NO_TABLE.has(wordOf(node) ?? '')) return false;
    const name = nameAt(this.#nodes, this.#at);
    if (name === undefined) return false;
    // In a query a name with brackets is a function; INSERT INTO t (a, b) and CREATE TABLE t (...) name a table.
    const callable = expected === 'item' && !schema;
    const isFunction = callable && isGroup(this.#nodes[name.end]);
    const isCte = expected === 'item' && name.parts.length === 1 && this.#scope.has(name.parts[0]!);
    if (!isFunction && !isCte) this.#scanner.table(name.parts);
    this.#at = name.end;
    return true;
  }

  #skipExistence(): void {
    if (this.#wordAt(0) !== 'if') return;
    if (this.#wordAt(1) === 'exists') this.#at += 2;
    else if (this.#wordAt(1) === 'not' && this.#wordAt(2) === 'exists') this.#at += 3;
  }

  #group(group: Group): void {
    const function_ = FROM_FUNCTIONS.has(this.#wordAt(-1) ?? '') && !isSymbol(this.#nodes[this.#at - 2], '.');
    const isQuery = group.nodes.some((node) => ['select', 'table'].includes(wordOf(node) ?? ''));
    const inherits = this.#scanner.options.schema === true && this.#wordAt(-1) === 'inherits';
    const kind = inherits ? 'items' : function_ && !isQuery ? 'arguments' : 'query';
    this.#scanner.level(group.nodes, this.#scope, kind);
  }

  /** `a.from`, `x AS from`: any word may stand there, as a name. A query may follow AS as well. */
  #isLabel(word: string): boolean {
    if (isSymbol(this.#nodes[this.#at - 1], '.')) return true;
    return this.#afterAs && word !== 'select' && word !== 'with' && word !== 'table';
  }

  #word(word: string): void {
    if (ENDS_FROM.has(word) && !(word === 'group' && this.#wordAt(-1) === 'within')) this.#inList = false;
    switch (word) {
      case 'select':
        this.#selectSeen = true;
        return;
      case 'with':
        this.#with();
        return;
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        this.#modify(word);
        return;
      case 'from':
        this.#from();
        return;
      case 'join':
      case 'table':
        this.#expected = 'item';
        this.#inList ||= word === 'table' && this.#scanner.options.lists === true;
        return;
      case 'into':
        this.#into();
        return;
      case 'using':
        this.#using();
        return;
      case 'for':
        this.#for();
        return;
      default:
        if (this.#scanner.options.schema === true) this.#schemaWord(word);
    }
  }

  /**
   * Wherever it stands on its level: the grammar leaves no other word behind each verb, so a column of the name `update` is none,
   * or is taken for a change once in a while.
   */
  #modify(word: 'insert' | 'update' | 'delete' | 'merge'): void {
    const next = this.#nodes[this.#at + 1];
    const wanted = { insert: 'into', merge: 'into', delete: 'from', update: undefined }[word];
    if (wanted !== undefined && wordOf(next) !== wanted) return;
    if (word === 'update') {
      if (NOT_BEFORE_UPDATE.has(this.#wordAt(-1) ?? '')) return;
      if (identifierOf(next) === undefined || NO_TABLE.has(wordOf(next) ?? '')) return;
    }
    this.#verb = word;
    this.#scanner.modification(word.toUpperCase() as Modification['command']);
    if (word === 'update') this.#expected = 'target';
  }

  #from(): void {
    if (this.#kind === 'arguments' || this.#isDistinctFrom()) return;
    this.#expected = this.#wordAt(-1) === 'delete' ? 'target' : 'item';
    this.#inList = true;
  }

  /** `a IS [NOT] DISTINCT FROM b` compares. */
  #isDistinctFrom(): boolean {
    if (this.#wordAt(-1) !== 'distinct') return false;
    const is = this.#wordAt(-2) === 'not' ? -3 : -2;
    // `a.is distinct FROM t`: there `is` is a column.
    return (
      this.#wordAt(is) === 'is' &&
      !isSymbol(this.#nodes[this.#at + is - 1], '.') &&
      this.#wordAt(is - 1) !== 'as'
    );
  }

  #into(): void {
    const before = this.#wordAt(-1);
    if (this.#selectSeen || (before !== 'insert' && before !== 'merge')) {
      this.#scanner.into();
      while (TEMPORARY.has(this.#wordAt(1) ?? '')) this.#at++;
    }
    this.#expected = 'target';
  }

  /** The first USING of DELETE and MERGE names tables; that of a join names columns. */
  #using(): void {
    if (this.#usingSeen || (this.#verb !== 'delete' && this.#verb !== 'merge')) return;
    this.#usingSeen = true;
    this.#expected = 'item';
    this.#inList = this.#verb === 'delete';
  }

  #for(): void {
    const next = this.#wordAt(1);
    if (next === 'update' || next === 'no') this.#scanner.lock('UPDATE');
    else if (next === 'share' || next === 'key') this.#scanner.lock('SHARE');
    else if (next !== 'read') return;
    this.#inList = false;
  }

  #schemaWord(word: string): void {
    const next = this.#wordAt(1) ?? '';
    if (word === 'to') this.#inList = false;
    const names =
      NAMES_FOLLOW.has(word) ||
      (word === 'partition' && (this.#wordAt(-1) === 'attach' || this.#wordAt(-1) === 'detach')) ||
      (word === 'to' && this.#verb === 'rule') ||
      (word === 'on' && !NO_TABLE_AFTER_ON.has(next));
    if (word === 'rule') this.#verb = 'rule';
    if (word === 'column' && this.#wordAt(-1) === 'on') this.#columnTable();
    else if (names) {
      this.#expected = 'target';
      this.#inList ||= this.#scanner.options.lists === true;
    }
  }

  /** COMMENT ON COLUMN t.c names a table with one part more. */
  #columnTable(): void {
    const name = nameAt(this.#nodes, this.#at + 1);
    if (name !== undefined && name.parts.length > 1) this.#scanner.table(name.parts.slice(0, -1));
  }

  /** `[RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] (query) ..., ...`; any other WITH is left alone. */
  #with(): void {
    const recursive =
      this.#wordAt(1) === 'recursive' && !isGroup(this.#nodes[this.#at + 2]) && this.#wordAt(2) !== 'as';
    const ctes: { name: string; query: Group }[] = [];
    let at = this.#at + (recursive ? 2 : 1);
    for (;;) {
      const cte = this.#cteAt(at);
      if (cte === undefined) break;
      ctes.push(cte);
      at = cte.end;
      if (!isSymbol(this.#nodes[at], ',')) break;
      at++;
    }
    if (ctes.length === 0) return;
    const scope = new Scope(this.#scope);
    if (recursive) for (const { name } of ctes) scope.add(name);
    for (const { name, query } of ctes) {
      // Without RECURSIVE a CTE sees only those before it, and its own name inside of it is the table of that name.
      this.#scanner.level(query.nodes, scope, 'query');
      scope.add(name);
    }
    this.#scope = scope;
    this.#at = at - 1;
  }

  #cteAt(start: number): { name: string; query: Group; end: number } | undefined {
    const name = identifierOf(this.#nodes[start]);
    if (name === undefined) return undefined;
    let at = start + 1;
    if (isGroup(this.#nodes[at])) at++;
    if (wordOf(this.#nodes[at++]) !== 'as') return undefined;
    if (wordOf(this.#nodes[at]) === 'not') at++;
    if (wordOf(this.#nodes[at]) === 'materialized') at++;
    const query = this.#nodes[at];
    if (!isGroup(query)) return undefined;
    return { name, query, end: this.#skipSearchAndCycle(at + 1) };
  }

  /** `SEARCH DEPTH FIRST BY a, b SET c` and `CYCLE a, b SET c ...` (section 7.8.2) have commas of their own. */
  #skipSearchAndCycle(start: number): number {
    let at = start;
    while (['search', 'cycle'].includes(wordOf(this.#nodes[at]) ?? '')) {
      while (at < this.#nodes.length && wordOf(this.#nodes[at]) !== 'set') at++;
      at += 2;
      for (const word of ['to', 'default', 'using']) if (wordOf(this.#nodes[at]) === word) at += 2;
    }
    return at;
  }

  #wordAt(offset: number): string | undefined {
    return wordOf(this.#nodes[this.#at + offset]);
  }
}
