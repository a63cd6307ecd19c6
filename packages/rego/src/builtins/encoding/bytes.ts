import { isUtf8 } from 'node:buffer';

/**
 * OPA's strings are bytes and need not be UTF-8; ours are UTF-16. A byte that is no UTF-8 stands in a string as the
 * lone low surrogate U+DC80 + (byte - 0x80), so that decoding base64 and hashing the result sees the same bytes, and
 * counting it finds one character a byte, as Go does.
 */
const ESCAPE_BASE = 0xdc00;

/** The string for some bytes. */
export const textOfBytes = (bytes: Uint8Array): string => {
  if (isUtf8(bytes)) return viewOf(bytes).toString('utf8');
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) parts.push(String.fromCharCode(ESCAPE_BASE + bytes[at]!));
    else parts.push(viewOf(bytes.subarray(at, at + length)).toString('utf8'));
    at += Math.max(length, 1);
  }
  return parts.join('');
};

/** The bytes of a string: UTF-8, and what `textOfBytes` escaped. Any other lone surrogate is U+FFFD. */
export const bytesOfText = (text: string): Buffer => {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (const char of text) {
    const unit = char.charCodeAt(0);
    const escaped = char.length === 1 && unit >= ESCAPE_BASE + 0x80 && unit <= ESCAPE_BASE + 0xff;
    parts.push(escaped ? Buffer.of(unit - ESCAPE_BASE) : Buffer.from(char, 'utf8'));
  }
  return Buffer.concat(parts);
};

const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** How many bytes the code point at a position has; 0 when there is none. */
const sequenceLength = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0;
};
