import type { Annotations } from './annotations.ts';
import type { Body } from './expr.ts';
import type { Location, Source } from './location.ts';
import type { RefTerm, Term } from './term.ts';

export type RegoVersion = 'v0' | 'v1';

export interface Comment {
  /** Without the `#`. */
  readonly text: string;
  readonly location: Location;
}

export interface Module {
  readonly source: Source;
  readonly version: RegoVersion;
  readonly package: Package;
  readonly imports: readonly Import[];
  readonly rules: readonly Rule[];
  readonly comments: readonly Comment[];
  readonly annotations: readonly Annotations[];
}

export interface Package {
  /** Below `data`: `['a', 'b']` of `package a.b`. */
  readonly path: readonly string[];
  readonly location: Location;
}

export interface Import {
  readonly path: RefTerm;
  readonly alias?: string;
  readonly location: Location;
}

export interface Rule {
  readonly default: boolean;
  readonly head: Head;
  /** Empty for a rule that is always true. */
  readonly body: Body;
  readonly else?: Rule;
  /** Whether the body was introduced by `if`. */
  readonly conditional: boolean;
  readonly location: Location;
  readonly annotations: readonly Annotations[];
}

export interface Head {
  /** The name and what follows it: `a.b[x]`. The head is always a variable. */
  readonly ref: RefTerm;
  /** Of a function. */
  readonly args?: readonly Term[];
  /** `contains key`: the rule is a partial set. */
  readonly key?: Term;
  /** `true` when nothing is written. */
  readonly value?: Term;
  /** `:=` rather than `=`. */
  readonly assign: boolean;
  readonly location: Location;
}
