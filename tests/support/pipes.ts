import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

/** A stream's length and SHA-256, without keeping it. */
export const digest = async (
  stream: Readable,
): Promise<{ readonly bytes: number; readonly sha256: string }> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
};

/** `count` megabytes that no compression and no line editing would leave alone. */
export function* noise(count: number): Generator<Buffer> {
  const block = Buffer.allocUnsafe(1 << 20);
  for (let index = 0; index < block.length; index += 1) block[index] = (index * 2654435761) >>> 13;
  for (let index = 0; index < count; index += 1) {
    block.writeUInt32LE(index, 0);
    yield Buffer.from(block);
  }
}
