import { compileGlob, type Glob, globMatches } from '../../glob/glob.ts';
import type { RequestFacts, SqlEffect } from '../../request.ts';
import type { Matcher } from './matcher.ts';
import { compileValues, type Quantifier, someMatches } from './patterns.ts';
import type { ExpandedRule } from './presets.ts';

/** A rule about SQL statements: what they do, to which tables. */
export class SqlMatcher implements Matcher {
  readonly #effect: SqlEffect | undefined;
  readonly #command: Glob | undefined;
  readonly #tables: readonly TablePattern[] | undefined;
  readonly #quantifier: Quantifier;

  constructor(rule: ExpandedRule, quantifier: Quantifier) {
    this.#effect = rule.effect;
    this.#command = rule.command === undefined ? undefined : compileGlob(rule.command, 'none');
    this.#tables = rule.tables?.map(compileTable);
    this.#quantifier = quantifier;
  }

  matches({ content }: RequestFacts, index: number): boolean {
    const statement = content.kind === 'sql' ? content.statements[index] : undefined;
    if (!statement) return false;
    if (this.#effect !== undefined && statement.effect !== this.#effect) return false;
    if (this.#command && !globMatches(this.#command, statement.command)) return false;
    const patterns = this.#tables;
    if (!patterns) return true;
    return this.#quantifier === 'some'
      ? statement.tables.some((table) => patterns.some((pattern) => couldBe(pattern, table)))
      : statement.tables.every((table) => patterns.some(({ whole }) => globMatches(whole, table)));
  }
}

/** A table pattern as a whole, and taken apart at its last dot. */
interface TablePattern {
  readonly whole: Glob;
  readonly schema: readonly Glob[];
  readonly table: Glob;
}

function compileTable(source: string): TablePattern {
  const dot = source.lastIndexOf('.');
  return {
    whole: compileGlob(source, 'none'),
    schema: dot < 0 ? [] : compileValues([source.slice(0, dot)]),
    table: compileGlob(source.slice(dot + 1), 'none'),
  };
}

/**
 * Whether a table may be one that the pattern means. Where either leaves the schema out it may be any, so that a deny rule cannot be
 * dodged by writing `secrets` for `public.secrets`, or the other way round.
 */
function couldBe({ whole, schema, table }: TablePattern, name: string): boolean {
  if (globMatches(whole, name)) return true;
  const dot = name.lastIndexOf('.');
  if (!globMatches(table, name.slice(dot + 1))) return false;
  return dot < 0 || schema.length === 0 || someMatches(schema, name.slice(0, dot));
}
