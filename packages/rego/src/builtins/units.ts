import { type BuiltinDeclaration, BuiltinError } from '../builtin.ts';
import { NUMBER, STRING } from '../types/index.ts';
import { Decimal, numberFromBigInt, numberFromText, type Value } from '../value/index.ts';
import { multiplyFloats, toFloat, truncateFloat } from './big-float.ts';
import { builtin } from './declare.ts';
import { stringAt } from './operands.ts';

const PREFIXES = ['k', 'm', 'g', 't', 'p', 'e'];

/** Factors by lower-case unit: `k` is 1000, `ki` is 1024. */
const FACTORS: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ...PREFIXES.map((prefix, index) => [prefix, 1000n ** BigInt(index + 1)] as const),
  ...PREFIXES.map((prefix, index) => [`${prefix}i`, 1024n ** BigInt(index + 1)] as const),
]);

/** Exponents of more digits than this are refused before anything is computed. */
const MAX_EXPONENT = 10_000;

interface Quantity {
  readonly amount: string;
  readonly unit: string;
}

const parse = (args: readonly Value[]): Value => {
  const { amount, unit } = readQuantity(stringAt(args, 0), 'amount');
  const { digits, exponent, negative } = new Decimal(amount).parts;
  // Milli and mega are told apart by case, as Kubernetes does; nothing else is.
  const factor = unit === 'm' ? 1n : FACTORS.get(unit.toLowerCase());
  if (factor === undefined) throw new BuiltinError(`unit ${unit} not recognized`);
  const scale = exponent - digits.length - (unit === 'm' ? 3 : 0);
  return decimalNumber(BigInt(`0${digits}`) * factor, scale, negative);
};

/** `magnitude × 10^scale`, to ten places behind the point. */
const decimalNumber = (magnitude: bigint, scale: number, negative: boolean): Value => {
  const sign = negative ? '-' : '';
  if (scale >= 0) return numberFromText(`${sign}${magnitude * 10n ** BigInt(scale)}`);
  const divisor = 10n ** BigInt(-scale);
  if (magnitude % divisor === 0n) return numberFromText(`${sign}${magnitude / divisor}`);
  const places = (magnitude * 10n ** 10n * 2n + divisor) / (divisor * 2n);
  const text = places.toString().padStart(11, '0');
  return numberFromText(`${sign}${text.slice(0, -10)}.${text.slice(-10)}`);
};

const parseBytes = (args: readonly Value[]): Value => {
  const { amount, unit } = readQuantity(stringAt(args, 0).toLowerCase(), 'byte amount');
  const factor = FACTORS.get(unit.length > 1 ? unit.replace(/b$/, '') : unit);
  if (factor === undefined) throw new BuiltinError(`byte unit ${unit} not recognized`);
  return numberFromBigInt(
    truncateFloat(multiplyFloats(toFloat(new Decimal(amount)), toFloat(numberFromBigInt(factor)))),
  );
};

/** An `e` is an exponent when digits follow, and a unit otherwise. */
const QUANTITY = /^([-+]?[\d.]*(?:[eE][-+]?\d+)?)(.*)$/s;

const readQuantity = (text: string, what: string): Quantity => {
  const unquoted = text.replaceAll('"', '');
  if (unquoted.includes(' ')) throw new BuiltinError('spaces not allowed in resource strings');
  const [, amount = '', unit = ''] = QUANTITY.exec(unquoted) ?? [];
  if (amount === '' || !/\d/.test(amount)) throw new BuiltinError(`no ${what} provided`);
  const valid = /^[-+]?(\d+\.?\d*|\.\d+)(?:[eE]([-+]?\d+))?$/.exec(amount);
  if (valid === null || Math.abs(Number(valid[2] ?? 0)) > MAX_EXPONENT) {
    throw new BuiltinError(`could not parse ${what} to a number`);
  }
  return { amount: amount.replace(/^\+/, ''), unit };
};

/** Sizes as people write them: `10Ki`, `500m`, `1.5GB`. */
export const unitBuiltins: readonly BuiltinDeclaration[] = [
  builtin('units.parse', [STRING], NUMBER, parse),
  builtin('units.parse_bytes', [STRING], NUMBER, parseBytes),
];
