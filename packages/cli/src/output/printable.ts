/**
 * Text of others (a file's line, a name) made safe for a terminal: control characters are shown, not obeyed. A tab
 * becomes one blank, so that a column stays a column.
 */
export const printable = (text: string): string =>
  text
    .replaceAll('\t', ' ')
    .replace(
      /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
