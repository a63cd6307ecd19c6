import { dayOfYear } from './civil.ts';
import { type LayoutPart, MONTHS, splitLayout, WEEKDAYS } from './layout.ts';
import { type Moment, type WallTime, wallTimeOf } from './moment.ts';

/** Writes a time as a layout of Go's says. */
export const formatTime = (moment: Moment, layout: string): string => {
  const wall = wallTimeOf(moment);
  return splitLayout(layout)
    .map((part) => textOf(part, moment, wall))
    .join('');
};

const textOf = (part: LayoutPart, moment: Moment, wall: WallTime): string => {
  switch (part.kind) {
    case 'literal':
      return part.text;
    case 'field':
      return fieldText(part.text, moment, wall);
    case 'fraction': {
      const digits = pad(moment.nanos, 9).slice(0, part.digits).padEnd(part.digits, '0');
      const shown = part.trimmed ? digits.replace(/0+$/, '') : digits;
      return shown === '' ? '' : part.text[0]! + shown;
    }
    default: {
      const never: never = part;
      return never;
    }
  }
};

const pad = (value: number, width: number, fill = '0'): string =>
  value < 0 ? `-${String(-value).padStart(width, fill)}` : String(value).padStart(width, fill);

const fieldText = (field: string, moment: Moment, wall: WallTime): string => {
  switch (field) {
    case 'January':
      return MONTHS[wall.month - 1]!;
    case 'Jan':
      return MONTHS[wall.month - 1]!.slice(0, 3);
    case '1':
      return String(wall.month);
    case '01':
      return pad(wall.month, 2);
    case 'Monday':
      return WEEKDAYS[wall.weekday]!;
    case 'Mon':
      return WEEKDAYS[wall.weekday]!.slice(0, 3);
    case '2':
      return String(wall.day);
    case '_2':
      return pad(wall.day, 2, ' ');
    case '02':
      return pad(wall.day, 2);
    case '__2':
      return pad(dayOfYear(wall), 3, ' ');
    case '002':
      return pad(dayOfYear(wall), 3);
    case '2006':
      return pad(wall.year, 4);
    case '06':
      return pad(Math.abs(wall.year) % 100, 2);
    default:
      return clockText(field, moment, wall);
  }
};

const clockText = (field: string, moment: Moment, wall: WallTime): string => {
  const twelve = wall.hour % 12 === 0 ? 12 : wall.hour % 12;
  switch (field) {
    case '15':
      return pad(wall.hour, 2);
    case '3':
      return String(twelve);
    case '03':
      return pad(twelve, 2);
    case '4':
      return String(wall.minute);
    case '04':
      return pad(wall.minute, 2);
    case '5':
      return String(wall.second);
    case '05':
      return pad(wall.second, 2);
    case 'PM':
      return wall.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return wall.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return (
        moment.zone.abbreviationAt(moment.seconds) || offsetText('-0700', wall.offset).replace(/00$/, '')
      );
    default:
      return offsetText(field, wall.offset);
  }
};

/** `-07:00` and its like; those with a `Z` write it for UTC. */
const offsetText = (field: string, offset: number): string => {
  if (field.startsWith('Z') && offset === 0) return 'Z';
  const size = Math.abs(offset);
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map((part) => pad(part, 2));
  const count = field.replace(/[^0-9]/g, '').length / 2;
  return (offset < 0 ? '-' : '+') + parts.slice(0, count).join(field.includes(':') ? ':' : '');
};
