import { setTimeout as pause } from 'node:timers/promises';

const INTERVAL_MS = 10;
const PATIENCE_MS = 15_000;

/**
 * Looks again and again until the answer is neither undefined nor false, for what the kernel announces to nobody.
 * @throws Error that names `what` when that does not happen in time.
 */
export const until = async <T>(what: string, look: () => T | undefined | false): Promise<T> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await pause(INTERVAL_MS);
  }
};
