import type { Generation } from '@openshell/base';
import type { SqlContent } from './options.ts';

/** Statements that were prepared, and the policy that last allowed them. */
export interface Known {
  readonly content: SqlContent;
  generation: Generation;
}

/** How much it takes to remember: statements, and tables in them. */
export const partsOf = (content: SqlContent): number =>
  content.kind === 'sql' ? content.statements.reduce((sum, { tables }) => sum + 1 + tables.length, 1) : 1;

/** Other statements that a name may stand for; more are not kept apart. */
const MAX_ALTERNATIVES = 8;

/**
 * What each name of a prepared statement can stand for. It matters only after the policy has changed: what was prepared under the old
 * one is then asked about again. Whether the server took a statement is not always known, so a name can have several.
 * The least recently prepared are forgotten beyond the bound (of parts); what is forgotten is refused after a change.
 */
export class PreparedStatements {
  readonly #bound: number;
  readonly #names = new Map<string, readonly Known[]>();
  #parts = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** The server has it under this name, and nothing else. */
  replace(name: string, known: readonly Known[]): void {
    this.#set(name, known);
  }

  /** The server may have it under this name. */
  add(name: string, known: Known): void {
    const before = this.#names.get(name) ?? [];
    const overfull = before.length >= MAX_ALTERNATIVES;
    // An empty list is a name of which nothing is known any more.
    const nothing = overfull || (before.length === 0 && this.#names.has(name));
    this.#set(name, nothing ? [] : [...before, known]);
  }

  /** All that the name can stand for; empty when that is not known. */
  find(name: string): readonly Known[] {
    return this.#names.get(name) ?? [];
  }

  #set(name: string, known: readonly Known[]): void {
    this.#forget(name);
    this.#names.set(name, known);
    this.#parts += partsOfAll(known);
    while (this.#parts > this.#bound) this.#forget(this.#names.keys().next().value!);
  }

  #forget(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    this.#names.delete(name);
    this.#parts -= partsOfAll(known);
  }
}

/** The name itself counts too. */
const partsOfAll = (known: readonly Known[]): number =>
  known.reduce((sum, { content }) => sum + partsOf(content), 1);
