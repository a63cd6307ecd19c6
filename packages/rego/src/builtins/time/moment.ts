import { type CivilDate, dateOf, daysOf } from './civil.ts';
import type { Zone } from './zones.ts';

const SECONDS_A_DAY = 86_400;
const NANOS = 1_000_000_000n;

/** An instant: whole seconds since 1970 and nanoseconds on top, and where it is looked at from. */
export interface Moment {
  readonly seconds: number;
  readonly nanos: number;
  readonly zone: Zone;
}

/** What a clock on the wall and a calendar show. */
export interface WallTime extends CivilDate {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** Seconds east of Greenwich. */
  readonly offset: number;
}

export const momentOfNanos = (nanos: bigint, zone: Zone): Moment => {
  const rest = ((nanos % NANOS) + NANOS) % NANOS;
  return { seconds: Number((nanos - rest) / NANOS), nanos: Number(rest), zone };
};

export const nanosOfMoment = ({ seconds, nanos }: Moment): bigint => BigInt(seconds) * NANOS + BigInt(nanos);

export const wallTimeOf = ({ seconds, zone }: Moment): WallTime => {
  const offset = zone.offsetAt(seconds);
  const local = seconds + offset;
  const days = Math.floor(local / SECONDS_A_DAY);
  const rest = local - days * SECONDS_A_DAY;
  return {
    ...dateOf(days),
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: (((days + 4) % 7) + 7) % 7,
    offset,
  };
};

/** A date and the seconds since its midnight, in a zone; fields outside their range count on (Go's `time.Date`). */
export const momentOfDate = (date: CivilDate, secondsOfDay: number, nanos: number, zone: Zone): Moment => {
  const local = daysOf(date) * SECONDS_A_DAY + secondsOfDay;
  // The offset of the same figures in UTC is right unless a change lies between; then the one before that change is.
  const guess = zone.offsetAt(local);
  const offset = guess === 0 ? 0 : zone.offsetAt(local - guess);
  return { seconds: local - offset, nanos, zone };
};
