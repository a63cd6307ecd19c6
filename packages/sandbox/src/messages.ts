import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Writes to standard error, one line at a time, without making it non-blocking: it is shared with the workload, which
 * would be surprised. `process.stderr` is therefore never touched.
 */
export class Messages {
  /** A terminal in raw mode does not return the carriage by itself. */
  readonly #lineEnd: string;
  readonly color: boolean;

  constructor(options: { readonly rawTerminal: boolean; readonly noColor: boolean }) {
    const terminal = isatty(2);
    this.#lineEnd = terminal && options.rawTerminal ? '\r\n' : '\n';
    this.color = terminal && !options.noColor;
  }

  write = (text: string): void => {
    try {
      writeSync(2, `${text.split('\n').join(this.#lineEnd)}${this.#lineEnd}`);
    } catch {
      // The reader is gone, or the pipe is full: a message is not worth ending or delaying the workload for.
    }
  };
}
