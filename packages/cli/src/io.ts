import { chooseStyle, type Style } from './output/style.ts';
import { writeAll } from './output/write.ts';

/** What a command may know of the process it runs in. Tests give their own. */
export interface Io {
  /** Data: what was asked for, and nothing else. */
  out(text: string): void;
  /** Messages for a person. */
  err(text: string): void;
  /** How to set off words in `out`. */
  readonly outStyle: Style;
  /** How to set off words in `err`. */
  readonly errStyle: Style;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Loaded on demand: most runs print nothing, and the module brings all of the network in. */
const isTerminal = (descriptor: number): boolean => process.getBuiltinModule('node:tty').isatty(descriptor);

/** The real process. */
export const processIo = (): Io => ({
  out: (text) => writeAll(1, text),
  err: (text) => writeAll(2, text),
  get outStyle() {
    return chooseStyle(isTerminal(1), process.env);
  },
  get errStyle() {
    return chooseStyle(isTerminal(2), process.env);
  },
  env: process.env,
});
