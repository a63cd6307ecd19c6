import { quote } from '../../value/index.ts';

/**
 * Decodes hexadecimal digits in pairs.
 * @throws Error worded as Go's `encoding/hex`
 */
export const decodeHex = (text: string): Buffer => {
  const foreign = /[^0-9a-fA-F]/u.exec(text);
  if (foreign !== null) {
    const code = foreign[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    const shown = foreign[0] === "'" ? `'\\''` : `'${quote(foreign[0]).slice(1, -1).replace('\\"', '"')}'`;
    throw new Error(`encoding/hex: invalid byte: U+${code} ${shown}`);
  }
  if (text.length % 2 === 1) throw new Error('encoding/hex: odd length hex string');
  return Buffer.from(text, 'hex');
};
