export interface ThrottleOptions<Item> {
  readonly maxKinds: number;
  readonly windowMs: number;
  /** Told at once of the first of a kind, and at the end of a window of how many more there were. */
  readonly emit: (item: Item, count: number) => void;
}

interface Kind<Item> {
  readonly item: Item;
  more: number;
}

const REST = '\0';

/** Makes one report of many alike: the first at once, the rest as a count. Bounded whatever the sandbox does. */
export class Throttle<Item> {
  readonly #options: ThrottleOptions<Item>;
  #kinds = new Map<string, Kind<Item>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ThrottleOptions<Item>) {
    this.#options = options;
  }

  add(key: string, item: Item): void {
    const full = this.#kinds.size >= this.#options.maxKinds && !this.#kinds.has(key);
    const kind = this.#kinds.get(full ? REST : key);
    if (kind !== undefined) {
      kind.more += 1;
      return;
    }
    this.#kinds.set(full ? REST : key, { item, more: 0 });
    this.#options.emit(item, 1);
    this.#timer ??= setTimeout(() => this.flush(), this.#options.windowMs).unref();
  }

  /** Ends the window: says what was counted and begins afresh. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const kinds = this.#kinds;
    this.#kinds = new Map();
    for (const { item, more } of kinds.values()) if (more > 0) this.#options.emit(item, more);
  }
}
