import { randomFillSync } from 'node:crypto';
import { endianness } from 'node:os';

const LITTLE = endianness() === 'LE';
/** Below this a loop over bytes is quicker than setting up one over words. */
const WORDS_FROM = 48;

const rotateLeft = (key: number, bits: number): number =>
  bits === 0 ? key : (key << bits) | (key >>> (32 - bits));

const swapBytes = (key: number): number =>
  (key >>> 24) | ((key >>> 8) & 0xff00) | ((key << 8) & 0xff0000) | (key << 24);

function xorBytes(bytes: Uint8Array, from: number, to: number, key: number): void {
  for (let at = from, rotated = key; at < to; at++) {
    bytes[at]! ^= rotated >>> 24;
    rotated = rotateLeft(rotated, 8);
  }
}

/**
 * Masks or unmasks in place (RFC 6455 section 5.3). `key` is big-endian; `offset` says how many bytes of the payload came
 * before these. Four bytes at a time where they lie on word boundaries.
 */
export function applyMask(bytes: Uint8Array, key: number, offset = 0): void {
  const first = rotateLeft(key, 8 * (offset & 3));
  const length = bytes.length;
  if (length < WORDS_FROM) {
    xorBytes(bytes, 0, length, first);
    return;
  }
  const lead = -bytes.byteOffset & 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + lead, (length - lead) >>> 2);
  const rotated = rotateLeft(first, 8 * lead);
  const word = LITTLE ? swapBytes(rotated) : rotated;
  xorBytes(bytes, 0, lead, first);
  for (let at = 0; at < words.length; at++) words[at]! ^= word;
  xorBytes(bytes, lead + 4 * words.length, length, rotated);
}

const pool = Buffer.alloc(4096);
let used = pool.length;

/** A masking key that nobody can foresee (RFC 6455 section 10.3). */
export function freshMask(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 4;
  return pool.readUInt32BE(used - 4);
}
