import type { Assertion } from './syntax.ts';

/** Stands for what is before the first and after the last code point. */
export const NO_CODE = -1;

/** Whether an assertion holds between two code points; `NO_CODE` is the edge of the text. */
export const holds = (assertion: Assertion, before: number, after: number): boolean => {
  switch (assertion) {
    case 'text-start':
      return before === NO_CODE;
    case 'text-end':
      return after === NO_CODE;
    case 'line-start':
      return before === NO_CODE || before === 0x0a;
    case 'line-end':
      return after === NO_CODE || after === 0x0a;
    case 'word-boundary':
      return isWord(before) !== isWord(after);
    case 'no-word-boundary':
      return isWord(before) === isWord(after);
    default: {
      const never: never = assertion;
      return never;
    }
  }
};

/** The code point before a position of a text. */
export const codeBefore = (text: string, position: number): number => {
  if (position === 0) return NO_CODE;
  const unit = text.charCodeAt(position - 1);
  const isLowSurrogate = (unit & 0xfc00) === 0xdc00;
  return isLowSurrogate && position > 1 ? lastOf(text, position, unit) : unit;
};

const lastOf = (text: string, position: number, unit: number): number => {
  const code = text.codePointAt(position - 2)!;
  return code > 0xffff ? code : unit;
};

const isWord = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x30 && code <= 0x39) ||
  code === 0x5f;
