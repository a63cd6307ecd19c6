import { compileGlob, type Glob, globMatches } from '../../glob/glob.ts';
import type { QueryParameter } from '../../request.ts';

/** To allow, every value must be covered; to deny, one is enough. */
export type Quantifier = 'every' | 'some';

export const compileValues = (sources: readonly string[]): readonly Glob[] =>
  sources.map((source) => compileGlob(source, 'none'));

export function someMatches(globs: readonly Glob[], text: string): boolean {
  for (const glob of globs) if (globMatches(glob, text)) return true;
  return false;
}

/** Patterns for the values of named parameters. */
export class ParameterMatcher {
  readonly #byName: readonly (readonly [name: string, patterns: readonly Glob[]])[];
  readonly #quantifier: Quantifier;

  constructor(patterns: Readonly<Record<string, readonly string[]>>, quantifier: Quantifier) {
    this.#byName = Object.entries(patterns).map(([name, sources]) => [name, compileValues(sources)]);
    this.#quantifier = quantifier;
  }

  /** Whether every listed name is there and its values are covered. Names that are not listed do not matter. */
  matches(parameters: readonly QueryParameter[]): boolean {
    for (const [name, globs] of this.#byName) if (!this.#covers(name, globs, parameters)) return false;
    return true;
  }

  #covers(name: string, globs: readonly Glob[], parameters: readonly QueryParameter[]): boolean {
    let found = false;
    for (const [key, value] of parameters) {
      if (key !== name) continue;
      const matches = someMatches(globs, value);
      if (this.#quantifier === 'some' && matches) return true;
      if (this.#quantifier === 'every' && !matches) return false;
      found = true;
    }
    return found && this.#quantifier === 'every';
  }
}
