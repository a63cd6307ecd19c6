import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

export interface FileWatchOptions {
  /** Asked anew after each change: which files there are may be written in one of them. */
  readonly files: () => readonly string[];
  readonly onChange: () => void;
  readonly settleMs?: number;
  readonly pollMs?: number;
}

/** Quiet for this long: whoever writes several files writes them in one go, and they are one change. */
const SETTLE_MS = 100;
/** Where it is never quiet, as in a directory with files of others, it is looked at this often. */
const RESTLESS_MS = 1000;
/** Network file systems announce nothing, and a directory that was replaced is watched no longer. */
const POLL_MS = 30_000;

/**
 * Says when files have changed, were replaced, or came and went. Directories are watched rather than files, so that a file that another is
 * renamed over is seen, and so is the swap of `..data`, by which Kubernetes changes all files of a volume at once. What is announced is only a
 * hint: a change is what the files' own marks say, so nothing is reported twice and nothing that is not about these files.
 */
export class FileWatch implements Disposable {
  readonly #options: FileWatchOptions;
  readonly #poll: NodeJS.Timeout;
  readonly #watchers = new Map<string, FSWatcher>();
  #marks: string;
  #settling: NodeJS.Timeout | undefined;
  /** `performance.now()` of the first hint that was not followed yet. */
  #hintedAt: number | undefined;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#marks = marksOf(options.files());
    this.#watch();
    this.#poll = setInterval(() => this.#look(), options.pollMs ?? POLL_MS).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#poll);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Takes the files as they are now for known: somebody is about to read them. */
  settle(): void {
    this.#marks = marksOf(this.#options.files());
    this.#watch();
  }

  #watch(): void {
    const wanted = new Set(this.#options.files().flatMap(directoriesOf));
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of wanted) if (!this.#watchers.has(directory)) this.#begin(directory);
  }

  #begin(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#hint());
      this.#watchers.set(directory, watcher);
      watcher.on('error', () => this.#end(directory, watcher));
    } catch {
      // It is not there, or the kernel has no watches left: the poll sees it.
    }
  }

  #end(directory: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
    this.#hint();
  }

  #hint(): void {
    const now = performance.now();
    this.#hintedAt ??= now;
    const settle = Math.min(this.#options.settleMs ?? SETTLE_MS, this.#hintedAt + RESTLESS_MS - now);
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#look(), Math.max(0, settle)).unref();
  }

  #look(): void {
    clearTimeout(this.#settling);
    this.#hintedAt = undefined;
    const before = this.#marks;
    this.settle();
    if (this.#marks !== before) this.#options.onChange();
  }
}

/** Where the file stands, and where what it points to stands. */
function directoriesOf(file: string): readonly string[] {
  try {
    return [dirname(file), dirname(realpathSync(file))];
  } catch {
    return [dirname(file)]; // not there yet
  }
}

const marksOf = (files: readonly string[]): string =>
  files.map((file) => `${file}\0${markOf(file)}`).join('\0');

function markOf(file: string): string {
  try {
    const { ino, dev, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return ''; // not there, or not for us: that too can change
  }
}
