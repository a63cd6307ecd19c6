/** Values of one thing, measured again and again. */
export interface Series {
  /** What is compared: series of one group share a unit and a table. */
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
}

/** The value below which `share` (0 to 1) of them lie. NaN where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The median of one series. NaN where it was not measured. */
export function medianOf(all: readonly Series[], group: string, name: string): number {
  return median(all.find((series) => series.group === group && series.name === name)?.values ?? []);
}
