import { closeSync, openSync, readFileSync } from 'node:fs';

/** How near the process is to having no descriptors left. */
export type DescriptorLevel = 'plenty' | 'scarce';

export interface DescriptorWatchOptions {
  readonly onChange: (level: DescriptorLevel, limit: number) => void;
  readonly intervalMs?: number;
  /** Descriptors that the process may have, and the lowest that is free; for tests. */
  readonly limit?: number;
  readonly lowestFree?: () => number | undefined;
}

const INTERVAL_MS = 1000;
/** Scarce from the first share on; plenty again below the second, so that a proxy at its bound does not say both all the time. */
const SCARCE = 0.9;
const PLENTY = 0.7;

/**
 * Says when descriptors run out and when there are enough again. Without any left the kernel's queue is emptied by closing what is in it
 * (libuv does), which no callback tells of, so that somebody has to look.
 */
export class DescriptorWatch implements Disposable {
  readonly #options: DescriptorWatchOptions;
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  #level: DescriptorLevel = 'plenty';

  constructor(options: DescriptorWatchOptions) {
    this.#options = options;
    this.#limit = options.limit ?? softLimit();
    this.#timer = setInterval(() => this.look(), options.intervalMs ?? INTERVAL_MS).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const free = (this.#options.lowestFree ?? lowestFree)();
    const level = this.#levelOf(free === undefined ? 1 : free / this.#limit);
    if (level === this.#level) return;
    this.#level = level;
    this.#options.onChange(level, this.#limit);
  }

  #levelOf(share: number): DescriptorLevel {
    if (share >= SCARCE) return 'scarce';
    return share < PLENTY ? 'plenty' : this.#level;
  }
}

/** A new descriptor is the lowest that is free (open(2)), so all below it are in use: one call, however many there are. */
function lowestFree(): number | undefined {
  try {
    const descriptor = openSync('/dev/null', 'r');
    closeSync(descriptor);
    return descriptor;
  } catch {
    return undefined; // none is
  }
}

/** proc_pid_limits(5). */
function softLimit(): number {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
