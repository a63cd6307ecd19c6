import { numberText } from './decimal.ts';
import { boundedText } from './too-large.ts';
import { isArray, type Value } from './value.ts';

/** A value as Rego text, the way OPA prints terms: `{"a": 1}`, `{1, 2}`, `set()`. */
export const format = (value: Value): string => {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'boolean':
    case 'number':
      return String(value);
    default:
      break;
  }
  if (value === null) return 'null';
  if (isArray(value)) return boundedText(`[${value.map(format).join(', ')}]`);
  if (value.kind === 'number') return numberText(value);
  if (value.kind === 'set')
    return value.size === 0 ? 'set()' : boundedText(`{${value.sorted.map(format).join(', ')}}`);
  const members = value.sortedKeys.map((key) => `${format(key)}: ${format(value.get(key)!)}`);
  return boundedText(`{${members.join(', ')}}`);
};

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** What Go's `strconv.Quote` does not print as it is: everything but letters, marks, numbers, punctuation, symbols and the space. */
const UNPRINTABLE = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** A string in quotes, escaped as Go's `strconv.Quote` does. */
export const quote = (text: string): string =>
  `"${text.replace(UNPRINTABLE, (character) => SHORT_ESCAPES[character] ?? escapeCodePoint(character.codePointAt(0)!))}"`;

const escapeCodePoint = (codePoint: number): string => {
  if (codePoint < 0x80) return `\\x${hex(codePoint, 2)}`;
  return codePoint < 0x1_0000 ? `\\u${hex(codePoint, 4)}` : `\\U${hex(codePoint, 8)}`;
};

const hex = (codePoint: number, width: number): string => codePoint.toString(16).padStart(width, '0');
