import { quote } from '../../value/index.ts';
import { dateOf, daysInMonth, daysOf } from './civil.ts';
import { type LayoutPart, MONTHS, splitLayout, WEEKDAYS } from './layout.ts';
import { type Moment, momentOfDate } from './moment.ts';
import { fixedZone, UTC, type Zone } from './zones.ts';

/**
 * Reads a time in a layout of Go's; what the layout does not name is the beginning of year 0, in UTC.
 * @throws Error worded as Go's `time.Parse`
 */
export const parseTime = (layout: string, text: string): Moment => new TimeParser(layout, text).parse();

interface Fields {
  year: number;
  month: number | undefined;
  day: number | undefined;
  yearDay: number | undefined;
  hour: number;
  minute: number;
  second: number;
  nanos: number;
  afternoon: boolean | undefined;
  zone: Zone;
}

class TimeParser {
  readonly #layout: string;
  readonly #text: string;
  #rest: string;
  readonly #fields: Fields = {
    year: 0,
    month: undefined,
    day: undefined,
    yearDay: undefined,
    hour: 0,
    minute: 0,
    second: 0,
    nanos: 0,
    afternoon: undefined,
    zone: UTC,
  };

  constructor(layout: string, text: string) {
    this.#layout = layout;
    this.#text = text;
    this.#rest = text;
  }

  parse(): Moment {
    const parts = splitLayout(this.#layout);
    for (const [index, part] of parts.entries()) this.#part(part, parts[index + 1]);
    if (this.#rest !== '') throw this.#error(`: extra text: ${quote(this.#rest)}`);
    return this.#moment();
  }

  #part(part: LayoutPart, next: LayoutPart | undefined): void {
    switch (part.kind) {
      case 'literal':
        this.#literal(part.text);
        return;
      case 'field':
        this.#field(part.text);
        // Seconds may have a fraction that the layout does not show.
        if (/^0?5$/.test(part.text) && next?.kind !== 'fraction') {
          const fraction = this.#take(/^[.,](\d+)/);
          if (fraction !== undefined) this.#fields.nanos = nanosOf(fraction[1]!);
        }
        return;
      case 'fraction': {
        const pattern = part.trimmed ? /^[.,](\d+)/ : new RegExp(`^[.,](\\d{${part.digits}})`);
        const match = this.#take(pattern);
        if (match === undefined && !part.trimmed) throw this.#mismatch(part.text);
        if (match !== undefined) this.#fields.nanos = nanosOf(match[1]!);
        return;
      }
      default: {
        const never: never = part;
        throw never;
      }
    }
  }

  /** Blanks of the layout stand for any number of them. */
  #literal(text: string): void {
    for (const piece of text.split(/( +)/)) {
      if (piece.startsWith(' ')) {
        const blanks = this.#take(/^ +/);
        if (blanks === undefined && this.#rest !== '') throw this.#mismatch(text);
      } else if (this.#rest.startsWith(piece)) this.#rest = this.#rest.slice(piece.length);
      else throw this.#mismatch(text);
    }
  }

  #field(field: string): void {
    const fields = this.#fields;
    switch (field) {
      case 'January':
      case 'Jan':
        fields.month = this.#name(field, MONTHS) + 1;
        return;
      case 'Monday':
      case 'Mon':
        this.#name(field, WEEKDAYS);
        return;
      case '2006':
        fields.year = Number(this.#expect(field, /^\d{4}/)[0]);
        return;
      case '06': {
        const year = Number(this.#expect(field, /^\d{2}/)[0]);
        fields.year = year >= 69 ? year + 1900 : year + 2000;
        return;
      }
      case '1':
      case '01':
        fields.month = this.#number(field, 1, 12, 'month');
        return;
      case '2':
      case '_2':
      case '02':
        if (field === '_2') this.#take(/^ /);
        fields.day = this.#number(field, 0, 99, 'day');
        return;
      case '__2':
      case '002':
        fields.yearDay = Number(this.#expect(field, field === '002' ? /^\d{3}/ : /^ {0,2}(\d{1,3})/)[0]);
        return;
      default:
        this.#clockField(field);
    }
  }

  #clockField(field: string): void {
    const fields = this.#fields;
    switch (field) {
      case '15':
        fields.hour = this.#number(field, 0, 23, 'hour');
        return;
      case '3':
      case '03':
        fields.hour = this.#number(field, 0, 12, 'hour');
        return;
      case '4':
      case '04':
        fields.minute = this.#number(field, 0, 59, 'minute');
        return;
      case '5':
      case '05':
        fields.second = this.#number(field, 0, 59, 'second');
        return;
      case 'PM':
        fields.afternoon = this.#expect(field, /^[AP]M/)[0] === 'PM';
        return;
      case 'pm':
        fields.afternoon = this.#expect(field, /^[ap]m/)[0] === 'pm';
        return;
      case 'MST':
        fields.zone = this.#abbreviation();
        return;
      default:
        fields.zone = this.#offset(field);
    }
  }

  #name(field: string, names: readonly string[]): number {
    const length = field.length > 3 ? undefined : 3;
    const index = names.findIndex((name) =>
      this.#rest.toLowerCase().startsWith(name.slice(0, length).toLowerCase()),
    );
    if (index < 0) throw this.#mismatch(field);
    this.#rest = this.#rest.slice(names[index]!.slice(0, length).length);
    return index;
  }

  /** Two digits where the layout has a zero, one or two elsewhere. */
  #number(field: string, least: number, most: number, what: string): number {
    const digits = this.#expect(field, field.startsWith('0') ? /^\d{2}/ : /^\d{1,2}/)[0];
    const value = Number(digits);
    if (value < least || value > most) throw this.#error(`: ${what} out of range`);
    return value;
  }

  #offset(field: string): Zone {
    if (field.startsWith('Z') && this.#take(/^Z/) !== undefined) return UTC;
    const count = field.replace(/[^0-9]/g, '').length / 2;
    const separator = field.includes(':') ? ':' : '';
    const more = Array.from({ length: count - 1 }, () => `${separator}(\\d{2})`).join('');
    const match = this.#expect(field, new RegExp(`^([+-])(\\d{2})${more}`));
    const [hours = 0, minutes = 0, seconds = 0] = match.slice(2).map(Number);
    if (hours > 24) throw this.#error(': time zone offset hour out of range');
    if (minutes > 60) throw this.#error(': time zone offset minute out of range');
    const size = hours * 3600 + minutes * 60 + seconds;
    return fixedZone(match[1] === '-' ? -size : size);
  }

  /** A name says nothing of the offset, except `GMT+3`. */
  #abbreviation(): Zone {
    const match = this.#take(/^(?:UTC|GMT([+-]\d{1,2})|ChST|MeST|[A-Z]{4}T|[A-Z]{3}T|[A-Z]{3}|[+-]\d{2})/);
    if (match === undefined) throw this.#mismatch('MST');
    if (match[0] === 'UTC') return UTC;
    return fixedZone(match[1] === undefined ? 0 : Number(match[1]) * 3600, match[0]);
  }

  #moment(): Moment {
    const fields = this.#fields;
    if (fields.afternoon === true && fields.hour < 12) fields.hour += 12;
    else if (fields.afternoon === false && fields.hour === 12) fields.hour = 0;
    const date = fields.yearDay === undefined ? this.#date() : this.#dateOfYearDay(fields.yearDay);
    const secondsOfDay = fields.hour * 3600 + fields.minute * 60 + fields.second;
    return momentOfDate(date, secondsOfDay, fields.nanos, fields.zone);
  }

  #date(): { year: number; month: number; day: number } {
    const { year, month = 1, day = 1 } = this.#fields;
    if (day < 1 || day > daysInMonth(year, month)) throw this.#error(': day out of range');
    return { year, month, day };
  }

  #dateOfYearDay(yearDay: number): { year: number; month: number; day: number } {
    const { year, month, day } = this.#fields;
    const date = dateOf(daysOf({ year, month: 1, day: 1 }) + yearDay - 1);
    if (yearDay < 1 || date.year !== year) throw this.#error(': day-of-year out of range');
    if (month !== undefined && month !== date.month) throw this.#error(': day-of-year does not match month');
    if (day !== undefined && day !== date.day) throw this.#error(': day-of-year does not match day');
    return date;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#rest);
    if (match === null) return undefined;
    this.#rest = this.#rest.slice(match[0].length);
    return match;
  }

  #expect(field: string, pattern: RegExp): RegExpExecArray {
    const match = this.#take(pattern);
    if (match === undefined) throw this.#mismatch(field);
    return match;
  }

  #mismatch(element: string): Error {
    return new Error(
      `parsing time ${quote(this.#text)} as ${quote(this.#layout)}: cannot parse ${quote(this.#rest)} as ${quote(element)}`,
    );
  }

  #error(reason: string): Error {
    return new Error(`parsing time ${quote(this.#text)}${reason}`);
  }
}

const nanosOf = (digits: string): number => Number(digits.slice(0, 9).padEnd(9, '0'));
