import { quote } from '../../value/index.ts';

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  '\u00b5s': 1_000n,
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const MAX_NANOS = 2n ** 63n;

/**
 * The nanoseconds of `1h30m`, `-1.5s` and the like: Go's `time.ParseDuration`.
 * @throws Error
 */
export const parseDuration = (text: string): bigint => {
  const negative = text.startsWith('-');
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0n;
  if (rest === '') throw invalid(text);
  let total = 0n;
  while (rest !== '') {
    const match = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(rest)!;
    const [all, whole = '', fraction = '', unit = ''] = match;
    if (whole === '' && fraction === '') throw invalid(text);
    if (unit === '') throw new Error(`time: missing unit in duration ${quote(text)}`);
    const size = Object.hasOwn(UNITS, unit) ? UNITS[unit]! : undefined;
    if (size === undefined) throw new Error(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    if (whole.length > 19) throw invalid(text);
    const digits = fraction.slice(0, 18);
    total += BigInt(whole || '0') * size + (BigInt(digits || '0') * size) / 10n ** BigInt(digits.length);
    rest = rest.slice(all.length);
  }
  if (total > (negative ? MAX_NANOS : MAX_NANOS - 1n)) throw invalid(text);
  return negative ? -total : total;
};

const invalid = (text: string): Error => new Error(`time: invalid duration ${quote(text)}`);
