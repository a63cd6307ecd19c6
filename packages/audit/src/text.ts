/**
 * Text of others, made safe to stand in one line. Whoever can choose a file name, a host name or an error message can
 * otherwise write a line of their own into a log, or move the cursor of the terminal that shows it.
 */

// C0, DEL and C1 controls, the Unicode line separators, and the characters that reorder or hide what follows.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const CONTEXT = /[\\[\]\s]/gu;
const ELLIPSIS = '...';

const asCode = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** Free text: line breaks and tabs become spaces, other controls become `\u{hex}`. */
export const plainText = (text: string): string =>
  text.replace(/\r\n|[\r\n\t]/g, ' ').replace(CONTROL, asCode);

/** Text in double quotes: `\`, `"` and line breaks are escaped as in C. */
export function quotedText(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t')
    .replace(CONTROL, asCode);
  return `"${escaped}"`;
}

/** A word inside the brackets of a line: nothing in it can end the word or the bracket. */
export const contextText = (text: string): string =>
  text
    .replace(CONTEXT, (character) => (/\s/u.test(character) ? asCode(character) : `\\${character}`))
    .replace(CONTROL, asCode);

/** At most `bytes` bytes of UTF-8, never cutting a character, ending in `...` when something was cut. */
export function truncated(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text;
  const whole = Buffer.from(text);
  let end = bytes - ELLIPSIS.length;
  // 0b10xxxxxx continues a character: step back to where it began.
  while (end > 0 && (whole[end]! & 0xc0) === 0x80) end -= 1;
  return whole.toString('utf8', 0, end) + ELLIPSIS;
}
