import type { Spender } from '../regex/work.ts';

/** A set of code points with how often it may stand: the whole of a simplified pattern's language. */
interface Token {
  /** Nothing for the dot, which is anything. */
  readonly ranges: readonly (readonly [number, number])[] | undefined;
  readonly optional: boolean;
  readonly repeated: boolean;
}

/**
 * Whether two patterns made of characters, `.`, `[...]`, `*` and `+` both match some string that is not empty.
 * @throws Error where a pattern cannot be read
 */
export const globsIntersect = (left: string, right: string, spender: Spender): boolean => {
  const a = tokenize(left);
  const b = tokenize(right);
  const width = b.length + 1;
  const seen = new Set<number>();
  const pending: [number, number][] = [[0, 0]];
  while (pending.length > 0) {
    const [i, j] = pending.pop()!;
    if (seen.has(i * width + j)) continue;
    seen.add(i * width + j);
    spender.spend(1);
    for (const x of reachable(a, i)) {
      for (const y of reachable(b, j)) {
        spender.spend(1);
        if (!overlaps(a[x]!, b[y]!)) continue;
        for (const nextX of after(a, x)) {
          for (const nextY of after(b, y)) {
            if (isEnd(a, nextX) && isEnd(b, nextY)) return true;
            pending.push([nextX, nextY]);
          }
        }
      }
    }
  }
  return false;
};

/** The tokens that may take the next code point from a position on. */
const reachable = (tokens: readonly Token[], from: number): number[] => {
  const found: number[] = [];
  for (let index = from; index < tokens.length; index++) {
    found.push(index);
    if (!tokens[index]!.optional) break;
  }
  return found;
};

/** Where a pattern may go on once a token took a code point. */
const after = (tokens: readonly Token[], index: number): number[] =>
  tokens[index]!.repeated ? [index, index + 1] : [index + 1];

const isEnd = (tokens: readonly Token[], from: number): boolean =>
  tokens.slice(from).every(({ optional }) => optional);

const overlaps = (a: Token, b: Token): boolean => {
  if (a.ranges === undefined || b.ranges === undefined) return true;
  return a.ranges.some(([low, high]) => b.ranges!.some(([from, to]) => low <= to && from <= high));
};

const tokenize = (pattern: string): Token[] => {
  const chars = [...pattern];
  const tokens: Token[] = [];
  let position = 0;
  while (position < chars.length) {
    const [ranges, next] = readSet(chars, position);
    position = next;
    const flag = chars[position];
    const flagged = flag === '*' || flag === '+';
    if (flagged) position++;
    // Once or more often is once, and then any number of times.
    if (flag !== '*') tokens.push({ ranges, optional: false, repeated: false });
    if (flagged) tokens.push({ ranges, optional: true, repeated: true });
  }
  return tokens;
};

type Ranges = readonly (readonly [number, number])[] | undefined;

const readSet = (chars: readonly string[], position: number): readonly [Ranges, number] => {
  const char = chars[position]!;
  switch (char) {
    case '.':
      return [undefined, position + 1];
    case '[':
      return readBrackets(chars, position);
    case ']':
      throw invalid(chars, position + 1, "set-close ']' with no preceding '['");
    case '*':
    case '+':
      throw invalid(chars, position + 1, `flag '${char}' must be preceded by a non-flag`);
    default: {
      const [code, next] = readCode(chars, position);
      return [[[code, code]], next];
    }
  }
};

const readBrackets = (chars: readonly string[], start: number): readonly [Ranges, number] => {
  const ranges: [number, number][] = [];
  let position = start + 1;
  while (position < chars.length && chars[position] !== ']') {
    const [low, next] = readCode(chars, position);
    position = next;
    let high = low;
    if (chars[position] === '-' && chars[position + 1] !== undefined && chars[position + 1] !== ']') {
      [high, position] = readCode(chars, position + 1);
    }
    if (high < low) throw invalid(chars, position, 'range is reversed');
    ranges.push([low, high]);
  }
  if (position >= chars.length) throw invalid(chars, position, "set-open '[' with no following ']'");
  return [ranges, position + 1];
};

const readCode = (chars: readonly string[], position: number): [number, number] => {
  const escaped = chars[position] === '\\';
  const char = chars[escaped ? position + 1 : position];
  if (char === undefined) throw invalid(chars, position + 1, 'escape at the end of the input');
  return [char.codePointAt(0)!, position + (escaped ? 2 : 1)];
};

const invalid = (chars: readonly string[], position: number, reason: string): Error =>
  new Error(`input:${chars.join('')}, pos:${position}, ${reason}: the input provided is invalid`);
