import { usageError } from '../command/usage-error.ts';

/** What a timer of Node.js can hold: 2^31 - 1 milliseconds, almost 25 days. */
const longest = 2_147_483;

/**
 * Reads a number of seconds: more than 0, fractions allowed.
 *
 * @throws OpenShellError with code `usage`.
 */
export const parseSeconds = (text: string, option: string): number => {
  const seconds = /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : 0;
  if (seconds >= 0.001 && seconds <= longest) return seconds;
  throw usageError(
    `${option}: '${text}' is not a number of seconds from 0.001 to ${longest}`,
    `Write it as in ${option} 90 or ${option} 1.5.`,
  );
};
