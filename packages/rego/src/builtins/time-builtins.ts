import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { anyOf, NUMBER, STRING, tuple } from '../types/index.ts';
import {
  isArray,
  isNumber,
  numberFromBigInt,
  type RegoNumber,
  toBigInt,
  type Value,
} from '../value/index.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import { boundedString, intAt, stringAt } from './operands.ts';
import { daysInMonth } from './time/civil.ts';
import { parseDuration } from './time/duration.ts';
import { formatTime } from './time/format.ts';
import { layoutNamed, WEEKDAYS } from './time/layout.ts';
import { type Moment, momentOfDate, momentOfNanos, nanosOfMoment, wallTimeOf } from './time/moment.ts';
import { parseTime } from './time/parse.ts';
import { UTC, zoneNamed } from './time/zones.ts';

const fitsInt64 = (nanos: bigint): boolean => BigInt.asIntN(64, nanos) === nanos;

const safeNanos = (moment: Moment): Value => {
  const nanos = nanosOfMoment(moment);
  if (!fitsInt64(nanos)) throw new BuiltinError('time outside of valid range');
  return numberFromBigInt(nanos);
};

const nanosOf = (value: RegoNumber): bigint => {
  const nanos = toBigInt(value);
  if (nanos === undefined || !fitsInt64(nanos)) throw new BuiltinError('timestamp too big');
  return nanos;
};

/** Nanoseconds, alone or with the name of a zone. */
const momentAt = (args: readonly Value[], index: number): Moment => {
  const operand = args[index]!;
  if (isNumber(operand)) return momentOfNanos(nanosOf(operand), UTC);
  if (!isArray(operand)) {
    throw operandError(index + 1, operand, 'either number (ns) or [number (ns), string (tz)]');
  }
  const [nanos, zone] = operand;
  if (operand.length < 2) throw operandError(index + 1, operand, '[number (ns), string (tz)]');
  if (!isNumber(nanos)) throw operandError(index + 1, nanos!, 'number (ns)');
  if (typeof zone !== 'string') throw operandError(index + 1, zone!, 'string (tz)');
  return momentOfNanos(
    nanosOf(nanos),
    wrapped(() => zoneNamed(zone)),
  );
};

const format = (args: readonly Value[], context: BuiltinContext): Value => {
  const moment = momentAt(args, 0);
  const operand = args[0]!;
  const layout = isArray(operand) ? operand[2] : undefined;
  if (layout !== undefined && typeof layout !== 'string') throw operandError(1, layout, 'string');
  return boundedString(formatTime(moment, layoutNamed(layout ?? 'RFC3339Nano')), context);
};

const date = (args: readonly Value[]): Value => {
  const { year, month, day } = wallTimeOf(momentAt(args, 0));
  return [year, month, day];
};

const clock = (args: readonly Value[]): Value => {
  const { hour, minute, second } = wallTimeOf(momentAt(args, 0));
  return [hour, minute, second];
};

/** The most that a date may be moved by in one field; beyond it lies no time that can be told. */
const MAX_FIELD = 1e9;

const addDate = (args: readonly Value[]): Value => {
  const moment = momentAt(args, 0);
  const [years, months, days] = [intAt(args, 1), intAt(args, 2), intAt(args, 3)];
  if ([years, months, days].some((field) => Math.abs(field) > MAX_FIELD)) {
    throw new BuiltinError('time outside of valid range');
  }
  const wall = wallTimeOf(moment);
  const moved = { year: wall.year + years, month: wall.month + months, day: wall.day + days };
  const secondsOfDay = wall.hour * 3600 + wall.minute * 60 + wall.second;
  return safeNanos(momentOfDate(moved, secondsOfDay, moment.nanos, moment.zone));
};

/** Years, months, days, hours, minutes and seconds between two times, seen from the zone of the first. */
const diff = (args: readonly Value[]): Value => {
  const first = momentAt(args, 0);
  const second = { ...momentAt(args, 1), zone: first.zone };
  const ordered = nanosOfMoment(first) <= nanosOfMoment(second) ? [first, second] : [second, first];
  const [from, to] = ordered.map(wallTimeOf) as [
    ReturnType<typeof wallTimeOf>,
    ReturnType<typeof wallTimeOf>,
  ];
  const fields = [
    to.year - from.year,
    to.month - from.month,
    to.day - from.day,
    to.hour - from.hour,
    to.minute - from.minute,
    to.second - from.second,
  ];
  const sizes = [0, 12, daysInMonth(from.year, from.month), 24, 60, 60];
  for (let index = fields.length - 1; index > 0; index--) {
    if (fields[index]! >= 0) continue;
    fields[index]! += sizes[index]!;
    fields[index - 1]! -= 1;
  }
  return fields;
};

const parseNanos = (args: readonly Value[]): Value => {
  const layout = layoutNamed(stringAt(args, 0));
  const text = stringAt(args, 1);
  return safeNanos(wrapped(() => parseTime(layout, text)));
};

const parseRfc3339 = (args: readonly Value[]): Value => {
  const text = stringAt(args, 0);
  return safeNanos(wrapped(() => parseTime(layoutNamed('RFC3339'), text)));
};

const durationNanos = (args: readonly Value[]): Value => {
  const text = stringAt(args, 0);
  return numberFromBigInt(wrapped(() => parseDuration(text)));
};

const TIME = anyOf(NUMBER, tuple(NUMBER, STRING));
const FORMATTED = anyOf(NUMBER, tuple(NUMBER, STRING), tuple(NUMBER, STRING, STRING));
const THREE = tuple(NUMBER, NUMBER, NUMBER);
const SIX = tuple(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER);

export const timeBuiltins: readonly BuiltinDeclaration[] = [
  builtin('time.now_ns', [], NUMBER, (_args, context) => numberFromBigInt(context.nowNs), {
    nondeterministic: true,
  }),
  builtin('time.parse_ns', [STRING, STRING], NUMBER, parseNanos),
  builtin('time.parse_rfc3339_ns', [STRING], NUMBER, parseRfc3339),
  builtin('time.parse_duration_ns', [STRING], NUMBER, durationNanos),
  builtin('time.format', [FORMATTED], STRING, format),
  builtin('time.date', [TIME], THREE, date),
  builtin('time.clock', [TIME], THREE, clock),
  builtin('time.weekday', [TIME], STRING, (args) => WEEKDAYS[wallTimeOf(momentAt(args, 0)).weekday]!),
  builtin('time.add_date', [TIME, NUMBER, NUMBER, NUMBER], NUMBER, addDate),
  builtin('time.diff', [TIME, TIME], SIX, diff),
];
