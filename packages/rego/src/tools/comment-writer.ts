import type { Comment } from '../ast/module.ts';

/** Lines of a formatted module, into which its comments are put back. */
export class CommentWriter {
  readonly #comments: readonly Comment[];
  readonly #lines: string[] = [];
  #next = 0;

  constructor(comments: readonly Comment[]) {
    this.#comments = comments;
  }

  /** Writes the comments that stood above a row. */
  before(row: number, indent: number): void {
    for (
      let comment = this.#comments[this.#next];
      comment !== undefined;
      comment = this.#comments[this.#next]
    ) {
      if (comment.location.row >= row) return;
      this.#separate(comment);
      this.#lines.push(`${'\t'.repeat(indent)}${commentText(comment)}`);
      this.#next += 1;
    }
  }

  /** The row of the first comment above a row that is still to be written, or that row itself. */
  firstRow(row: number): number {
    const comment = this.#comments[this.#next];
    return comment === undefined ? row : Math.min(comment.location.row, row);
  }

  /** Writes a line, and behind it the comments that stood on its rows. */
  line(indent: number, text: string, lastRow: number): void {
    const comments: string[] = [];
    for (
      let comment = this.#comments[this.#next];
      comment !== undefined;
      comment = this.#comments[this.#next]
    ) {
      if (comment.location.row > lastRow) break;
      comments.push(commentText(comment));
      this.#next += 1;
    }
    // Several comments within one construct cannot stay inside of it; they go before it, the last one behind.
    for (const comment of comments.slice(0, -1)) this.#lines.push(`${'\t'.repeat(indent)}${comment}`);
    const behind = comments.length === 0 ? '' : ` ${comments.at(-1)}`;
    this.#lines.push(`${'\t'.repeat(indent)}${text}${behind}`);
  }

  /** Whether comments stand within a construct. */
  hasComments({ start, end }: { readonly start: number; readonly end: number }): boolean {
    return this.#comments.some(({ location }) => location.start > start && location.start < end);
  }

  /** An empty line, never two. */
  blank(): void {
    if (this.#lines.length > 0 && this.#lines.at(-1) !== '') this.#lines.push('');
  }

  end(): string {
    this.before(Number.POSITIVE_INFINITY, 0);
    return `${this.#lines.join('\n').trimEnd()}\n`;
  }

  /** Keeps the empty line that stood between two blocks of comments. */
  #separate(comment: Comment): void {
    const previous = this.#comments[this.#next - 1];
    const last = this.#lines.at(-1)?.trimStart();
    const gap = previous !== undefined && comment.location.row > previous.location.row + 1;
    if (gap && last?.startsWith('#') === true) this.blank();
  }
}

const commentText = ({ text }: Comment): string => `#${text}`.trimEnd();
