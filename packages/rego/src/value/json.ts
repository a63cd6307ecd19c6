import { numberFromBigInt, numberFromDouble, numberFromText, numberText, toDouble } from './decimal.ts';
import { RegoObject } from './object.ts';
import { boundedText, Visits } from './too-large.ts';
import { isArray, type Value } from './value.ts';

/** What `JSON.parse` yields, and big integers. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** The value of JSON. Objects are converted as they are read, so the JSON must not change afterwards. */
export const fromJson = (json: Json | undefined): Value => {
  switch (typeof json) {
    case 'string':
    case 'boolean':
      return json;
    case 'number':
      return numberFromDouble(json);
    case 'bigint':
      return numberFromBigInt(json);
    case 'undefined':
      // Not JSON, but what `JSON.stringify` makes of a hole in an array.
      return null;
    default:
      if (json === null) return null;
      return Array.isArray(json)
        ? json.map((element: Json | undefined) => fromJson(element))
        : RegoObject.fromJson(json as JsonObject);
  }
};

/**
 * The JSON of a value as OPA gives it: sets are sorted arrays, keys that are not strings are their JSON text.
 * Numbers that a double cannot hold become the nearest double; `jsonText` keeps them.
 */
export const toJson = (value: Value): Json => convert(value, new Visits());

const convert = (value: Value, visits: Visits): Json => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value;
    default:
      visits.visit();
      if (value === null) return null;
      return isArray(value)
        ? value.map((element) => convert(element, visits))
        : compositeToJson(value, visits);
  }
};

/** JSON text of a value, numbers exactly as they are. */
export const jsonText = (value: Value): string => {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
    case 'number':
      return String(value);
    default:
      break;
  }
  if (value === null) return 'null';
  if (isArray(value)) return boundedText(`[${value.map(jsonText).join(',')}]`);
  if (value.kind === 'number') return numberText(value);
  if (value.kind === 'set') return boundedText(`[${value.sorted.map(jsonText).join(',')}]`);
  const members = value.sortedKeys.map(
    (key) => `${JSON.stringify(keyName(key))}:${jsonText(value.get(key)!)}`,
  );
  return boundedText(`{${members.join(',')}}`);
};

/**
 * The value of JSON text, numbers exactly as written.
 * Throws the SyntaxError of `JSON.parse`.
 */
export const parseJson = (text: string): Value => build(JSON.parse(text, keepNumberText));

/** The name that a key has in JSON. */
export const keyName = (key: Value): string => (typeof key === 'string' ? key : jsonText(key));

const compositeToJson = (
  value: Exclude<Value, null | boolean | string | number | readonly Value[]>,
  visits: Visits,
): Json => {
  if (value.kind === 'number') return toDouble(value);
  if (value.kind === 'set') return value.sorted.map((member) => convert(member, visits));
  const json: Record<string, Json> = {};
  for (const key of value.sortedKeys) define(json, keyName(key), convert(value.get(key)!, visits));
  return json;
};

/** Sets a member; `__proto__` is a name like any other. */
const define = (json: Record<string, Json>, name: string, member: Json): void => {
  if (name === '__proto__') {
    Object.defineProperty(json, name, {
      value: member,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    json[name] = member;
  }
};

/** A number on its way through `JSON.parse`. */
class NumberToken {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const keepNumberText = (_name: string, member: unknown, context?: { source?: string }): unknown =>
  typeof member === 'number' ? new NumberToken(context?.source ?? String(member)) : member;

const build = (parsed: unknown): Value => {
  if (parsed instanceof NumberToken) return numberFromText(parsed.text);
  if (Array.isArray(parsed)) return parsed.map(build);
  if (typeof parsed !== 'object' || parsed === null) return parsed as Value;
  return new RegoObject(Object.entries(parsed).map(([name, member]) => [name, build(member)] as const));
};
