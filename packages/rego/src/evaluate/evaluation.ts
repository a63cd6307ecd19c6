import type { Callee } from '../compile/core.ts';
import { equal, isObject, RegoObject, type Value } from '../value/index.ts';
import type { Session } from './session.ts';

/** Stands in a cache for a document that is undefined. */
export const MISSING = Symbol('undefined');

export type Cached = Value | typeof MISSING;

/** What a `with` puts in the place of a function. */
export type Mock =
  | { readonly type: 'callee'; readonly callee: Callee }
  | { readonly type: 'value'; readonly value: Value };

export type Mocks = ReadonlyMap<string, Mock>;

export interface FunctionCalls {
  count: number;
  readonly results: Map<string, Cached>;
}

/** What an evaluation sees. */
export interface Replacements {
  readonly input?: Value | undefined;
  readonly data?: Value | undefined;
  /** Paths below `data` that rules do not define any more. */
  readonly shadows?: readonly (readonly Value[])[] | undefined;
  readonly mocks?: Mocks | undefined;
}

/** The documents as one part of an evaluation sees them, and what was computed from them. */
export class Evaluation {
  readonly session: Session;
  readonly input: Value | undefined;
  readonly data: Value | undefined;
  readonly shadows: readonly (readonly Value[])[] | undefined;
  readonly mocks: Mocks | undefined;
  /** What this one was made of by `with`. */
  readonly outer: Evaluation | undefined;
  /** Values of rule groups by their number. */
  readonly documents: (Cached | undefined)[] = [];
  /** What the input has at constant paths, by the numbers of the paths. */
  readonly inputs: (Cached | undefined)[] = [];
  /** Those of groups that depend on data alone, shared by all evaluations of the same data. */
  readonly constants: (Cached | undefined)[] | undefined;
  #extents: Map<unknown, Cached> | undefined;
  #calls: FunctionCalls[] | undefined;

  constructor(
    session: Session,
    seen: Replacements,
    constants: (Cached | undefined)[] | undefined,
    outer?: Evaluation,
  ) {
    this.session = session;
    this.input = seen.input;
    this.data = seen.data;
    this.shadows = seen.shadows;
    this.mocks = seen.mocks;
    this.constants = constants;
    this.outer = outer;
  }

  /** Whole documents that were put together of several rules, by whatever stands for them. */
  get extents(): Map<unknown, Cached> {
    this.#extents ??= new Map();
    return this.#extents;
  }

  /** What is known of the calls of a function, by the number of its group. */
  callsOf(id: number): FunctionCalls {
    this.#calls ??= [];
    let calls = this.#calls[id];
    if (calls === undefined) {
      calls = { count: 0, results: new Map() };
      this.#calls[id] = calls;
    }
    return calls;
  }

  /** The same question under other documents. */
  derive(seen: Replacements): Evaluation {
    const sameData = seen.data === this.data && seen.shadows === this.shadows && seen.mocks === this.mocks;
    return new Evaluation(this.session, seen, sameData ? this.constants : undefined, this);
  }

  /** Whether a `with` replaced a document at the path or above it. */
  isShadowed(path: readonly Value[]): boolean {
    if (this.shadows === undefined) return false;
    return this.shadows.some((shadow) => isPrefix(shadow, path));
  }
}

const isPrefix = (prefix: readonly Value[], path: readonly Value[]): boolean =>
  prefix.length <= path.length && prefix.every((part, index) => equal(part, path[index]!));

/** A document with a value put at a path; what stands in the way and is no object gives way. */
export const patched = (
  document: Value | undefined,
  path: readonly string[],
  value: Value,
  from = 0,
): Value => {
  const name = path[from];
  if (name === undefined) return value;
  const base = isObject(document) ? document : undefined;
  const copy = new RegoObject(base ?? []);
  copy.set(name, patched(base?.get(name), path, value, from + 1));
  return copy;
};
