/** A number that the project wants to hold, and what it is now. */
export interface Target {
  readonly what: string;
  readonly bound: 'at least' | 'at most';
  readonly limit: number;
  /** NaN: a peer that it needs is not installed. */
  readonly value: number;
  readonly unit: string;
  /** Missing it is a fault: the benchmark fails. */
  readonly required?: true;
}

export type Verdict = 'met' | 'missed' | 'not measured';

export function verdictOf({ bound, limit, value }: Target): Verdict {
  if (Number.isNaN(value)) return 'not measured';
  switch (bound) {
    case 'at least':
      return value >= limit ? 'met' : 'missed';
    case 'at most':
      return value <= limit ? 'met' : 'missed';
    default: {
      const unreachable: never = bound;
      return unreachable;
    }
  }
}
