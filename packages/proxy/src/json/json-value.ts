/** Members in the order of the text. A map, so that `__proto__` is a name like any other. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

export type JsonScalar = null | boolean | number | bigint | string;

/** Integers that a double does not hold exactly are bigints. */
export type JsonValue = JsonScalar | readonly JsonValue[] | JsonObject;

export const isJsonObject = (value: JsonValue | undefined): value is JsonObject => value instanceof Map;

export const isJsonArray = (value: JsonValue | undefined): value is readonly JsonValue[] =>
  Array.isArray(value);

/** Equal numbers have equal texts, however they were written: a pattern cannot be dodged by `1e3` or `1000.0`. */
export function scalarText(value: JsonScalar): string {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value).toString();
  return String(value);
}

/** RFC 8259 text of a value. Recursion is as deep as the value, which its parser has bounded. */
export function writeJson(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (isJsonObject(value))
    return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(',')}}`;
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}
