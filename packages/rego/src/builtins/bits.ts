import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, OperandError } from '../builtin.ts';
import { NUMBER } from '../types/index.ts';
import { numberFromBigInt, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { bigIntAt } from './operands.ts';

/** The widest integer that a shift may make, in bits. */
const MAX_BITS = 100_000n;

const on =
  (operation: (a: bigint, b: bigint) => bigint) =>
  (args: readonly Value[]): Value =>
    numberFromBigInt(operation(bigIntAt(args, 0), bigIntAt(args, 1)));

const shiftAt = (args: readonly Value[]): bigint => {
  const shift = bigIntAt(args, 1);
  if (shift < 0n) {
    throw new OperandError('operand 2 must be an unsigned integer number but got a negative integer');
  }
  return shift;
};

const shiftLeft = (args: readonly Value[], context: BuiltinContext): Value => {
  const value = bigIntAt(args, 0);
  const shift = shiftAt(args);
  if (value !== 0n && shift > MAX_BITS) throw new BuiltinError(`shift by more than ${MAX_BITS} bits`);
  context.spend(1 + Number(shift >> 4n));
  return numberFromBigInt(value === 0n ? 0n : value << shift);
};

const shiftRight = (args: readonly Value[]): Value => {
  const value = bigIntAt(args, 0);
  const shift = shiftAt(args);
  // A bound that no value reaches: all that is left is the sign.
  return numberFromBigInt(value >> (shift > 1n << 32n ? 1n << 32n : shift));
};

const TWO = [NUMBER, NUMBER];

/** Bits of integers of any size, in two's complement. */
export const bitsBuiltins: readonly BuiltinDeclaration[] = [
  builtin(
    'bits.or',
    TWO,
    NUMBER,
    on((a, b) => a | b),
  ),
  builtin(
    'bits.and',
    TWO,
    NUMBER,
    on((a, b) => a & b),
  ),
  builtin(
    'bits.xor',
    TWO,
    NUMBER,
    on((a, b) => a ^ b),
  ),
  builtin('bits.negate', [NUMBER], NUMBER, (args) => numberFromBigInt(~bigIntAt(args, 0))),
  builtin('bits.lsh', TWO, NUMBER, shiftLeft),
  builtin('bits.rsh', TWO, NUMBER, shiftRight),
];
