export interface WrapOptions {
  /** Columns of a line, its indentation included. */
  readonly width: number;
  /** Blanks before the first line. */
  readonly indent: number;
  /** Blanks before each further line; as `indent` where absent. */
  readonly hanging?: number;
}

/** Fills lines with words. A word that is longer than a line stands on a line of its own. */
export const wrap = (words: readonly string[], { width, indent, hanging = indent }: WrapOptions): string => {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const margin = lines.length === 0 ? indent : hanging;
    if (line !== '' && margin + line.length + 1 + word.length > width) {
      lines.push(' '.repeat(margin) + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(' '.repeat(lines.length === 0 ? indent : hanging) + line);
  return lines.join('\n');
};
