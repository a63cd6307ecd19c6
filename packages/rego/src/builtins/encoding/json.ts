import {
  compareStrings,
  isArray,
  isObject,
  isSet,
  keyName,
  numberText,
  parseJson,
  type Value,
} from '../../value/index.ts';

/** How a value is laid out: nothing is laid out in one line. */
export interface JsonLayout {
  readonly prefix: string;
  readonly indent: string;
}

/** JSON as Go's `json.Marshal` writes it: sorted members, and `<`, `>`, `&` escaped. */
export const marshalJson = (value: Value, layout?: JsonLayout): string => {
  if (layout === undefined) return write(value, undefined, '');
  return layout.prefix + write(value, layout, `\n${layout.prefix}`);
};

/**
 * Reads JSON, numbers as they are written.
 * @throws Error
 */
export const unmarshalJson = (text: string): Value => {
  try {
    return parseJson(text);
  } catch (thrown) {
    if (text.trim() === '') throw new Error('unexpected end of JSON input');
    throw new Error(`invalid JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
};

/** How many characters a layout adds to the JSON of a value: known before they are written. */
export const layoutLength = (value: Value, layout: JsonLayout, depth = 0): number => {
  const line = 1 + layout.prefix.length + layout.indent.length * depth;
  if (isArray(value) || isSet(value)) {
    const elements = isArray(value) ? value : value.sorted;
    return elements.reduce<number>((sum, element) => sum + layoutLength(element, layout, depth + 1), line);
  }
  if (!isObject(value)) return line;
  return [...value.values()].reduce<number>(
    (sum, member) => sum + layoutLength(member, layout, depth + 1),
    line,
  );
};

const HTML = /[<>&\u2028\u2029]/g;

/** A string as Go quotes it in JSON. */
const jsonString = (text: string): string =>
  JSON.stringify(text.toWellFormed()).replace(
    HTML,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const write = (value: Value, layout: JsonLayout | undefined, line: string): string => {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') return jsonString(value);
  const inner = layout === undefined ? '' : line + layout.indent;
  const colon = layout === undefined ? ':' : ': ';
  if (isObject(value)) {
    const members = Array.from(value, ([key, member]): [string, Value] => [keyName(key), member]);
    members.sort(([a], [b]) => compareStrings(a, b));
    const texts = members.map(([name, member]) => jsonString(name) + colon + write(member, layout, inner));
    return enclose('{', texts, '}', { inner, line });
  }
  if (isArray(value) || isSet(value)) {
    const elements = isArray(value) ? value : value.sorted;
    return enclose(
      '[',
      elements.map((element) => write(element, layout, inner)),
      ']',
      { inner, line },
    );
  }
  return numberText(value);
};

const enclose = (
  open: string,
  items: readonly string[],
  close: string,
  lines: { readonly inner: string; readonly line: string },
): string => {
  if (items.length === 0) return open + close;
  return `${open}${lines.inner}${items.join(`,${lines.inner}`)}${lines.inner === '' ? '' : lines.line}${close}`;
};
