/** A text that was parsed, for messages. */
export class Source {
  readonly file: string;
  readonly text: string;
  #lineStarts: readonly number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** The line with a number from 1, without its end. */
  lineText(row: number): string {
    const starts = this.#starts();
    const start = starts[row - 1];
    if (start === undefined) return '';
    const end = starts[row] ?? this.text.length + 1;
    return this.text.slice(start, end - 1).replace(/\r$/, '');
  }

  #starts(): readonly number[] {
    if (this.#lineStarts === undefined) {
      const starts = [0];
      for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1))
        starts.push(at + 1);
      this.#lineStarts = starts;
    }
    return this.#lineStarts;
  }
}

/** A place in a text. Rows and columns count from 1, columns and offsets in UTF-16 units. */
export interface Location {
  readonly source: Source;
  readonly row: number;
  readonly column: number;
  readonly start: number;
  readonly end: number;
}

/** From the beginning of one place to the end of another. */
export const span = (from: Location, to: Location): Location => ({
  ...from,
  end: Math.max(from.end, to.end),
});
