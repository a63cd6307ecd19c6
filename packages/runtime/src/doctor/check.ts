/**
 * - `ok`: it is there and works.
 * - `missing`: `openshell run` cannot enforce everything, or cannot work at all, without it.
 * - `optional`: it is not there, and something is better with it.
 * - `unknown`: it could not be tried, because what tries it is missing.
 */
export type CheckStatus = 'ok' | 'missing' | 'optional' | 'unknown';

/** What is known about one thing that a machine should have. */
export interface Check {
  /** Stable: what a program may look for. */
  readonly id: string;
  readonly title: string;
  readonly status: CheckStatus;
  /** What was found, in words. */
  readonly detail: string;
  /** What the person can do; absent where the status is `ok`. */
  readonly remedy?: string;
}

export interface MachineReport {
  /** Nothing is missing: `openshell run` works here with full enforcement. */
  readonly ready: boolean;
  readonly checks: readonly Check[];
}

/** A check of something that is there. */
export const ok = (id: string, title: string, detail: string): Check => ({ id, title, status: 'ok', detail });

export interface Lack {
  readonly detail: string;
  readonly remedy: string;
}

/** A check of something that `openshell run` cannot do without. */
export const missing = (id: string, title: string, lack: Lack): Check => ({
  id,
  title,
  status: 'missing',
  ...lack,
});

/** A check of something that it can do without. */
export const optional = (id: string, title: string, lack: Lack): Check => ({
  id,
  title,
  status: 'optional',
  ...lack,
});

/** For what only the launcher can try. */
export const untried = (id: string, title: string): Check => ({
  id,
  title,
  status: 'unknown',
  detail: 'not tried, because the launcher did not answer',
  remedy: 'Remedy the launcher first, and ask again.',
});
