/** An element of a layout that stands for part of a time, by the text that Go's reference time has there. */
export type LayoutPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'field'; readonly text: string }
  | { readonly kind: 'fraction'; readonly text: string; readonly digits: number; readonly trimmed: boolean };

/** The names that OPA takes for Go's layouts. */
const NAMED: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
};

/** The layout of a name, or the layout itself. */
export const layoutNamed = (name: string): string => (Object.hasOwn(NAMED, name) ? NAMED[name]! : name);

/** Longer texts before those that they begin with. */
const FIELD =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|_2(?!006)|002|0[1-6]|15|[1-5]|PM|pm|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,](?:0+|9+)(?!\d)/g;

/** Splits a layout into what is written as it stands and what stands for part of a time. */
export const splitLayout = (layout: string): LayoutPart[] => {
  const parts: LayoutPart[] = [];
  let last = 0;
  for (const match of layout.matchAll(FIELD)) {
    if (match.index > last) parts.push({ kind: 'literal', text: layout.slice(last, match.index) });
    parts.push(partOf(match[0]));
    last = match.index + match[0].length;
  }
  if (last < layout.length) parts.push({ kind: 'literal', text: layout.slice(last) });
  return parts;
};

const partOf = (text: string): LayoutPart => {
  if (!/^[.,]/.test(text)) return { kind: 'field', text };
  return { kind: 'fraction', text, digits: text.length - 1, trimmed: text[1] === '9' };
};

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
