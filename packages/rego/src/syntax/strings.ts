const SIMPLE: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Decodes the escapes of a JSON string (RFC 8259, section 7). `undefined` for an escape that JSON does not have and
 * for raw control characters. `also` names one more character that may be escaped by a backslash.
 */
export const decodeEscapes = (text: string, also = ''): string | undefined => {
  if (!/[\\\0-\x1f]/.test(text)) return text;
  let decoded = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character !== '\\') {
      if (character < ' ' && character !== '\t') return undefined;
      decoded += character;
      continue;
    }
    at += 1;
    const escaped = text[at];
    if (escaped === undefined) return undefined;
    if (escaped === 'u') {
      const digits = text.slice(at + 1, at + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) return undefined;
      decoded += String.fromCharCode(Number.parseInt(digits, 16));
      at += 4;
    } else if (escaped === also) {
      decoded += escaped;
    } else {
      const simple = SIMPLE[escaped];
      if (simple === undefined) return undefined;
      decoded += simple;
    }
  }
  return decoded.isWellFormed() ? decoded : decoded.toWellFormed();
};
