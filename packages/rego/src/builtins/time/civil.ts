/** A day of the Gregorian calendar, extended to all years; months from 1. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const DAYS_IN_ERA = 146_097;
const YEARS_IN_ERA = 400;
/** Days from the 1st of March of year 0 to 1970. */
const EPOCH = 719_468;

/** Days since 1970; months and days outside their range count on into the next or previous ones. */
export const daysOf = ({ year, month, day }: CivilDate): number => {
  const monthIndex = month - 1;
  const carried = year + Math.floor(monthIndex / 12);
  const inYear = monthIndex - 12 * Math.floor(monthIndex / 12) + 1;
  // Years begin in March, so that the leap day is their last.
  const shifted = inYear <= 2 ? carried - 1 : carried;
  const era = Math.floor(shifted / YEARS_IN_ERA);
  const yearOfEra = shifted - era * YEARS_IN_ERA;
  const dayOfYear = Math.floor((153 * (inYear + (inYear > 2 ? -3 : 9)) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_IN_ERA + dayOfEra - EPOCH + day - 1;
};

/** The date of a number of days since 1970. */
export const dateOf = (days: number): CivilDate => {
  const shifted = days + EPOCH;
  const era = Math.floor(shifted / DAYS_IN_ERA);
  const dayOfEra = shifted - era * DAYS_IN_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * YEARS_IN_ERA + (month <= 2 ? 1 : 0), month, day };
};

export const daysInMonth = (year: number, month: number): number =>
  daysOf({ year, month: month + 1, day: 1 }) - daysOf({ year, month, day: 1 });

/** From 1 on the first of January. */
export const dayOfYear = (date: CivilDate): number =>
  daysOf(date) - daysOf({ year: date.year, month: 1, day: 1 }) + 1;
