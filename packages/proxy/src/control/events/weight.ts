/** Of an object or a text besides its own content, in a runtime that keeps both with a header. */
const OVERHEAD = 24;

/** About how many bytes a value of plain data takes in memory. An estimate that costs less than to serialise it, and never stops short. */
export function weightOf(value: unknown): number {
  if (typeof value === 'string') return OVERHEAD + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = OVERHEAD;
  for (const inner of Object.values(value)) sum += 8 + weightOf(inner);
  return sum;
}
