import { type ControlCode, ControlRefusal } from '../contract/refusal.ts';
import { CONTROL_LIMITS } from '../limits.ts';

/** C0, DEL, C1, line and paragraph separators, and what turns the direction of text round: nothing that a log line or a terminal could stumble over. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

export function invalid(message: string, code: ControlCode = 'request_invalid'): ControlRefusal {
  return new ControlRefusal(message, { code });
}

/** Something that people read: neither empty, nor long, nor with characters that cannot be seen. `what` begins a sentence. */
export function checkName(what: string, text: unknown, code?: ControlCode): void {
  if (typeof text !== 'string') throw invalid(`${what} is not a text`, code);
  if (text === '') throw invalid(`${what} is empty`, code);
  if (text.length > CONTROL_LIMITS.nameLength.value)
    throw invalid(`${what} is longer than ${CONTROL_LIMITS.nameLength.value} characters`, code);
  if (!isPrintable(text)) throw invalid(`${what} has characters that cannot be seen`, code);
}

export const isPrintable = (text: string): boolean => !UNPRINTABLE.test(text);

export const isSha256 = (text: unknown): boolean => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);

export const isPort = (port: unknown, least: 0 | 1): boolean =>
  Number.isInteger(port) && (port as number) >= least && (port as number) <= 65_535;

/** From 0, and as large as a number counts exactly. */
export const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0;
