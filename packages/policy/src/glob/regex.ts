import type { CodeRange, Glob, Step } from './glob.ts';

const MAX_CODE = 0x10ffff;

/**
 * The same pattern as an anchored regular expression (RE2 syntax), for engines that know no other way to match one.
 * It accepts exactly what `globMatches` accepts.
 */
export const globRegex = (glob: Glob): string => {
  const alternatives = glob.alternatives.map((steps) => steps.map(stepRegex).join(''));
  return alternatives.length === 1 ? `^${alternatives[0]}$` : `^(?:${alternatives.join('|')})$`;
};

const stepRegex = ({ ranges, repeat }: Step): string => `${rangesRegex(ranges)}${repeat ? '*' : ''}`;

function rangesRegex(ranges: readonly CodeRange[]): string {
  const [first, second] = ranges;
  if (ranges.length === 1 && first![0] === first![1]) return character(first![0]);
  if (ranges.length === 1 && first![0] === 0 && first![1] === MAX_CODE) return '(?s:.)';
  // Everything but one character: what a star means inside of a segment.
  const isHole = ranges.length === 2 && first![0] === 0 && second![1] === MAX_CODE;
  if (isHole && second![0] - first![1] === 2) return `[^${character(first![1] + 1)}]`;
  return `[${ranges.map(([from, to]) => `${escaped(from)}-${escaped(to)}`).join('')}]`;
}

const character = (code: number): string => {
  const text = String.fromCodePoint(code);
  return /^[\w/-]$/.test(text) ? text : escaped(code);
};

const escaped = (code: number): string => `\\x{${code.toString(16)}}`;
