import { readdirSync, readFileSync } from 'node:fs';

/** Undefined where a process is gone meanwhile, or somebody else's. */
export const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

export const processIds = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

export const parentOf = (pid: string): string =>
  attempt(() => /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) ?? '0';

const childrenOf = (pid: number): string[] => processIds().filter((child) => parentOf(child) === String(pid));

const LOOK_EVERY_MS = 2000;

/**
 * Ends children of a process that live for too long: `node --test` has one for each file and waits forever for one
 * whose tests are over, but which something keeps alive. It then reports that file as failed.
 */
export class HangWatch implements Disposable {
  readonly #firstSeen = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(parent: number, limitMs: number) {
    this.#timer = setInterval(() => this.#look(parent, limitMs), LOOK_EVERY_MS);
  }

  #look(parent: number, limitMs: number): void {
    const now = performance.now();
    for (const pid of childrenOf(parent)) {
      const since = this.#firstSeen.get(pid) ?? now;
      this.#firstSeen.set(pid, since);
      if (now - since > limitMs) attempt(() => process.kill(Number(pid), 'SIGKILL'));
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
