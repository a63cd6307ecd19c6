import { compareStrings } from '../../../value/index.ts';

/** A number as its text, which is what Go's `json.Number` is. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What templates work on. `undefined` is a member that is not there. */
export type Data =
  | null
  | undefined
  | boolean
  | string
  | number
  | NumberText
  | readonly Data[]
  | ReadonlyMap<string, Data>;

export const isMap = (data: Data): data is ReadonlyMap<string, Data> => data instanceof Map;
export const isList = (data: Data): data is readonly Data[] => Array.isArray(data);

/** Whether `if` takes a branch: anything but empty. */
export const isTrue = (data: Data): boolean => {
  if (data === null || data === undefined || data === false || data === '' || data === 0) return false;
  if (data instanceof NumberText) return data.text !== '';
  if (isList(data)) return data.length > 0;
  return isMap(data) ? data.size > 0 : true;
};

/** How `fmt.Print` shows data. */
export const printed = (data: Data): string => {
  if (data === undefined) return '<no value>';
  if (data === null) return '<nil>';
  if (data instanceof NumberText) return data.text;
  if (isList(data)) return `[${data.map(printed).join(' ')}]`;
  if (!isMap(data)) return String(data);
  return `map[${sortedEntries(data)
    .map(([key, value]) => `${key}:${printed(value)}`)
    .join(' ')}]`;
};

export const sortedEntries = (map: ReadonlyMap<string, Data>): [string, Data][] =>
  [...map].sort(([a], [b]) => compareStrings(a, b));
