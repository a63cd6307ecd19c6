import type { CoreQuery } from '../compile/program.ts';
import { RegoError } from '../error.ts';
import { guarded } from '../guard.ts';
import type { Value } from '../value/index.ts';
import { compileBody } from './body.ts';
import type { Evaluation } from './evaluation.ts';
import { Layout, Place } from './layout.ts';
import type { Limits } from './limits.ts';
import type { Linker } from './linker.ts';
import { chain, type Frame, type Step } from './step.ts';

/** The values of a query's variables in one solution. */
export type Bindings = ReadonlyMap<string, Value>;

/** A query as closures. */
export class CompiledQuery {
  readonly #layout = new Layout();
  readonly #slots: ReadonlyMap<string, number>;
  readonly #run: Step;
  #visit: (frame: Frame) => boolean = () => true;

  constructor(query: CoreQuery, linker: Linker) {
    const place = new Place(this.#layout, linker);
    const builders = compileBody(query.body, place);
    this.#slots = new Map([...query.variables].map(([written, name]) => [written, this.#layout.slot(name)]));
    this.#run = chain(builders, (_, frame) => this.#visit(frame));
  }

  /** All solutions. Throws a RegoError when there are too many. */
  results(evaluation: Evaluation, limits: Limits): readonly Bindings[] {
    const found: Bindings[] = [];
    this.#search(evaluation, (frame) => {
      if (found.length >= limits.maxResults) {
        throw new RegoError('eval_limit_error', `the query has more than ${limits.maxResults} results`);
      }
      found.push(new Map([...this.#slots].map(([name, slot]) => [name, frame[slot]!])));
      return false;
    });
    return found;
  }

  /** One variable in the first solution. */
  first(evaluation: Evaluation, variable: string): Value | undefined {
    const slot = this.#slots.get(variable)!;
    let value: Value | undefined;
    this.#search(evaluation, (frame) => {
      value = frame[slot];
      return true;
    });
    return value;
  }

  #search(evaluation: Evaluation, visit: (frame: Frame) => boolean): void {
    const outer = this.#visit;
    this.#visit = visit;
    try {
      guarded(() => this.#run(evaluation, new Array<Value | undefined>(this.#layout.size).fill(undefined)));
    } finally {
      this.#visit = outer;
    }
  }
}
