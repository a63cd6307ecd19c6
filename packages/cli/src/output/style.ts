/** How words are set off from others. The text is the same with and without. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
}

const sequence = (on: number, off: number) => (text: string) => `\x1b[${on}m${text}\x1b[${off}m`;
const asIs = (text: string): string => text;

/** For terminals (ECMA-48, select graphic rendition). */
export const colours: Style = {
  bold: sequence(1, 22),
  dim: sequence(2, 22),
  red: sequence(31, 39),
  yellow: sequence(33, 39),
  green: sequence(32, 39),
};

/** For everything else. */
export const plain: Style = { bold: asIs, dim: asIs, red: asIs, yellow: asIs, green: asIs };

/**
 * Colours only for a terminal that has them, and never when NO_COLOR is set to anything (https://no-color.org).
 */
export const chooseStyle = (isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style =>
  isTerminal && !env.NO_COLOR && env.TERM !== 'dumb' ? colours : plain;
