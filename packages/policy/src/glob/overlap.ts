import { type CodeRange, type Glob, globMatches, type Step } from './glob.ts';

/**
 * Whether some text is matched by both patterns: a search for a common accepting state in the product of the two automata.
 * Patterns with different separators are compared as they are written.
 */
export function globsOverlap(a: Glob, b: Glob): boolean {
  if (a.literal !== undefined) return globMatches(b, a.literal);
  if (b.literal !== undefined) return globMatches(a, b.literal);
  return a.alternatives.some((left) => b.alternatives.some((right) => sequencesOverlap(left, right)));
}

function sequencesOverlap(left: readonly Step[], right: readonly Step[]): boolean {
  const columns = right.length + 1;
  const seen = new Uint8Array((left.length + 1) * columns);
  const open = [0];
  while (open.length > 0) {
    const state = open.pop()!;
    if (seen[state]) continue;
    seen[state] = 1;
    const i = Math.floor(state / columns);
    const j = state % columns;
    if (i === left.length && j === right.length) return true;
    const a = left[i];
    const b = right[j];
    // A repeated step may be left without a character.
    if (a?.repeat) open.push(state + columns);
    if (b?.repeat) open.push(state + 1);
    if (a && b && rangesMeet(a.ranges, b.ranges))
      open.push(state + (a.repeat ? 0 : columns) + (b.repeat ? 0 : 1));
  }
  return false;
}

function rangesMeet(a: readonly CodeRange[], b: readonly CodeRange[]): boolean {
  return a.some(([low, high]) => b.some(([from, to]) => from <= high && low <= to));
}
