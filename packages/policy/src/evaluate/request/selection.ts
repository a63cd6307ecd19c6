import type { InspectedEndpoint } from './endpoint.ts';

/** Sets of several endpoints that are remembered; then all are forgotten. A set is made again in microseconds. */
const MAX_SETS = 4096;

/** How specific a path selector is: the number of its characters other than `*`. */
export const pathWeight = (path: string): number => path.replaceAll('*', '').length;

/** A set of inspected endpoints that hold for the same connections: most specific path first, then in order of rank. */
export class Selection {
  readonly endpoints: readonly InspectedEndpoint[];
  readonly #wider = new Map<InspectedEndpoint, Selection>();

  constructor(endpoints: readonly InspectedEndpoint[]) {
    this.endpoints = Object.freeze([...endpoints].sort((a, b) => b.weight - a.weight || a.rank - b.rank));
  }

  known(endpoint: InspectedEndpoint): Selection | undefined {
    return this.#wider.get(endpoint);
  }

  widen(endpoint: InspectedEndpoint): Selection {
    const selection = new Selection([...this.endpoints, endpoint]);
    this.#wider.set(endpoint, selection);
    return selection;
  }

  forget(): void {
    this.#wider.clear();
  }
}

const NONE = new Selection([]);

/**
 * Which endpoints apply depends on the program too, so the sets cannot all be made ready beforehand. They are built by walking from set to
 * larger set, and remembered: asking again allocates nothing. Most hosts have one endpoint, whose set is its own.
 */
export class Selections {
  /** Sets of one from which larger ones were made. */
  readonly #roots = new Set<Selection>();
  #count = 0;

  get none(): Selection {
    return NONE;
  }

  with(selection: Selection, endpoint: InspectedEndpoint): Selection {
    if (selection === NONE) return endpoint.alone;
    const known = selection.known(endpoint);
    if (known) return known;
    if (++this.#count > MAX_SETS) this.#forget();
    if (selection.endpoints.length === 1) this.#roots.add(selection);
    return selection.widen(endpoint);
  }

  #forget(): void {
    for (const root of this.#roots) root.forget();
    this.#roots.clear();
    this.#count = 1;
  }
}
