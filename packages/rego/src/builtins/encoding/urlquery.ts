import { bytesOfText, textOfBytes } from './bytes.ts';

/** Escapes a string for a query: Go's `url.QueryEscape`, a blank becoming `+`. */
export const escapeQuery = (text: string): string => {
  let result = '';
  for (const byte of bytesOfText(text)) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(char)) result += char;
    else if (char === ' ') result += '+';
    else result += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
};

/**
 * The reverse of `escapeQuery`.
 * @throws Error `invalid URL escape "%zz"`
 */
export const unescapeQuery = (text: string): string => unescapePercent(text.replaceAll('+', ' '));

/** As `unescapeQuery` for a path or a fragment, where `+` is itself. */
export const unescapePercent = (text: string): string => {
  if (!text.includes('%')) return text;
  const parts: Buffer[] = [];
  let last = 0;
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', last)) {
    const digits = text.slice(at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
      throw new Error(`invalid URL escape ${JSON.stringify(text.slice(at, at + 3))}`);
    }
    parts.push(bytesOfText(text.slice(last, at)), Buffer.from(digits, 'hex'));
    last = at + 3;
  }
  parts.push(bytesOfText(text.slice(last)));
  return textOfBytes(Buffer.concat(parts));
};

/**
 * The values of a query by name, in their order: Go's `url.ParseQuery`.
 * @throws Error
 */
export const parseQuery = (query: string): Map<string, string[]> => {
  const values = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    if (pair.includes(';')) throw new Error('invalid semicolon separator in query');
    const equals = pair.indexOf('=');
    const name = unescapeQuery(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : unescapeQuery(pair.slice(equals + 1));
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  return values;
};
