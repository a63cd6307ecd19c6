/** Beyond this many pairs of lines, all that differs is shown as replaced rather than compared line by line. */
const MAX_PAIRS = 4_000_000;
const CONTEXT = 3;

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** What changes between two texts, as `diff -u` shows it, without its line numbers. Empty when nothing does. */
export const diffLines = (before: string, after: string): string => {
  const lines = compare(linesOf(before), linesOf(after));
  const near = new Set<number>();
  for (const [index, { mark }] of lines.entries()) {
    if (mark === ' ') continue;
    for (let at = Math.max(0, index - CONTEXT); at <= index + CONTEXT; at++) near.add(at);
  }
  let text = '';
  for (const [index, { mark, text: line }] of lines.entries()) {
    if (!near.has(index)) continue;
    if (!near.has(index - 1)) text += '@@\n';
    text += `${mark}${line}\n`;
  }
  return text;
};

const linesOf = (text: string): readonly string[] => {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
};

const compare = (before: readonly string[], after: readonly string[]): readonly Line[] => {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before.at(-1 - end) === after.at(-1 - end)
  )
    end++;
  return [
    ...before.slice(0, start).map((text): Line => ({ mark: ' ', text })),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map((text): Line => ({ mark: ' ', text })),
  ];
};

/** By the longest common subsequence. */
const middle = (before: readonly string[], after: readonly string[]): readonly Line[] => {
  const isLarge = before.length * after.length > MAX_PAIRS;
  const common = isLarge ? undefined : commonLengths(before, after);
  const width = after.length + 1;
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (common !== undefined && i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ mark: ' ', text: before[i++]! });
      j++;
    } else if (
      i < before.length &&
      (j === after.length || !common || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      lines.push({ mark: '-', text: before[i++]! });
    } else lines.push({ mark: '+', text: after[j++]! });
  }
  return lines;
};

/** At `i * (after.length + 1) + j`: how many lines the rests from `i` and `j` on have in common, in order. */
const commonLengths = (before: readonly string[], after: readonly string[]): Uint32Array => {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const same = before[i] === after[j];
      lengths[i * width + j] = same
        ? lengths[(i + 1) * width + j + 1]! + 1
        : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  return lengths;
};
