import { nearest } from '../command/nearest.ts';
import { usageError } from '../command/usage-error.ts';

export interface NumberBounds {
  readonly least: number;
  readonly most: number;
}

/** Reads a whole number that an option was given. Throws `usage`. */
export const wholeNumber = (text: string, option: string, { least, most }: NumberBounds): number => {
  const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw usageError(`--${option}: '${text}' is not a whole number from ${least} to ${most}`);
};

export const portOf = (text: string, option: string, least: 0 | 1): number =>
  wholeNumber(text, option, { least, most: 65_535 });

/** One of the words that there are for something. Throws `usage`. */
export const oneOf = <Word extends string>(text: string, what: string, words: readonly Word[]): Word => {
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  const meant = nearest(text, words);
  throw usageError(
    `${what}: there is no '${text}'`,
    meant === undefined ? `There is ${words.join(', ')}.` : `Did you mean ${meant}?`,
  );
};
