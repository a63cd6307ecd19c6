import { median } from './series.ts';

/** One sample: something that was measured after so many steps. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/**
 * How much the value grows from the first sample to the last: the median of the slopes between any two (Theil and Sen), over the whole
 * way. A few samples that are far off change nothing. NaN for fewer than two.
 */
export function growth(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((one, index) =>
    samples.slice(index + 1).map((other) => (other.value - one.value) / (other.at - one.at)),
  );
  return median(slopes) * ((samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0));
}
