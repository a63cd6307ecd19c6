import { usageError } from './usage-error.ts';

/** Throws `usage`. */
export function wholeNumber(text: string, option: string, min: number, max: number): number {
  const value = Number(text);
  if (/^[0-9]{1,9}$/.test(text) && value >= min && value <= max) return value;
  throw usageError(`--${option} ${text}: not a whole number from ${min} to ${max}`);
}
