import { type Correlation, logFields, plainText } from '@openshell/audit';

export type LogLevel = 'info' | 'warning' | 'error';

/**
 * What the program says to whoever runs it, and what that belongs to. Never a secret: whoever speaks here has taken it out.
 */
export type Log = (level: LogLevel, message: string, about?: Correlation) => void;

type Write = (line: string) => void;

/** Lines for people. Whatever stands in a message cannot begin a line of its own that looks like another's. */
export const textLog =
  (name: string, write: Write): Log =>
  (_level, message) => {
    for (const line of message.split('\n')) write(`${name}: ${plainText(line)}`);
  };

/** One JSON object a line. */
export const jsonLog =
  (write: Write, now: () => number = Date.now): Log =>
  (level, message, about = {}) =>
    write(JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...logFields(about) }));
