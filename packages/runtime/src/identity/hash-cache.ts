import { open } from 'node:fs/promises';
import type { ProcessFacts } from './reply.ts';

/** Contents remembered by all sandboxes of a supervisor together; the oldest use goes first. */
export const HASH_CACHE_ENTRIES = 4096;
const CHUNK = 1 << 20;

/** A file content by what fstat says of it. */
export const contentKey = (facts: Omit<ProcessFacts, 'pid' | 'exe'>): string =>
  `${facts.dev}:${facts.ino}:${facts.size}:${facts.mtime}:${facts.ctime}`;

const seconds = (nanoseconds: bigint): string =>
  `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;

/** Hashes each content once. Two requests for the same content share one reading. */
export class HashCache {
  readonly #entries = new Map<string, Promise<string>>();

  /**
   * SHA-256 (lower-case hex) of the file behind `path`, which must still be the content that `key` names.
   * @throws when the file cannot be read or is another one by now.
   */
  sha256(key: string, path: string): Promise<string> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const reading = hashFile(key, path);
    this.#entries.set(key, reading);
    reading.catch(() => this.#entries.delete(key));
    if (this.#entries.size > HASH_CACHE_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    return reading;
  }
}

const hashFile = async (key: string, path: string): Promise<string> => {
  // Loading it takes some 15 ms, which a command without connections need not wait for.
  const { createHash } = await import('node:crypto');
  const file = await open(path, 'r');
  try {
    const check = async (): Promise<void> => {
      const { dev, ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
      if (contentKey({ dev, ino, size, mtime: seconds(mtimeNs), ctime: seconds(ctimeNs) }) !== key) {
        throw new Error(`${path} changed while it was looked at`);
      }
    };
    await check();
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
    }
    await check();
    return hash.digest('hex');
  } finally {
    await file.close();
  }
};
