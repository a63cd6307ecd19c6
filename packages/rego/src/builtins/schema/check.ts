import {
  compareNumbers,
  isArray,
  isInteger,
  isNumber,
  isObject,
  type RegoObject,
  type Value,
} from '../../value/index.ts';
import { compileRegexp } from '../regex/regexp.ts';
import { isSchema, type ReferenceResolver } from './reference.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'null', 'object', 'string'];

/** How deep schemas may stand in each other. */
const MAX_DEPTH = 200;

/** Whether a value can be the value of a keyword; the words say what it must be. */
type Check = (value: Value) => string | undefined;

const must =
  (holds: (value: Value) => boolean, what: string): Check =>
  (value) =>
    holds(value) ? undefined : what;

const isCount = (value: Value): boolean =>
  isNumber(value) && isInteger(value) && compareNumbers(value, 0) >= 0;
const isText = (value: Value): value is string => typeof value === 'string';

const count = must(isCount, 'must be a positive integer');
const number = must(isNumber, 'must be of a number');
const text = must(isText, 'must be of a string');
const flag = must((value) => typeof value === 'boolean', 'must be of a boolean');
const texts = must((value) => isArray(value) && value.every(isText), 'must be of an array of strings');

/** Keywords with values that are no schemas. */
const KEYWORDS: Readonly<Record<string, Check>> = {
  $schema: text,
  $id: text,
  id: text,
  $ref: text,
  title: text,
  description: text,
  format: text,
  maxLength: count,
  minLength: count,
  maxItems: count,
  minItems: count,
  maxProperties: count,
  minProperties: count,
  maximum: number,
  minimum: number,
  exclusiveMaximum: must(
    (value) => isNumber(value) || typeof value === 'boolean',
    'must be of a number or boolean',
  ),
  exclusiveMinimum: must(
    (value) => isNumber(value) || typeof value === 'boolean',
    'must be of a number or boolean',
  ),
  multipleOf: must(
    (value) => isNumber(value) && compareNumbers(value, 0) > 0,
    'must be strictly greater than 0',
  ),
  required: texts,
  uniqueItems: flag,
  enum: must((value) => isArray(value) && value.length > 0, 'must be of an array with at least one element'),
  type: (value) => {
    const names = isArray(value) ? value : [value];
    const wrong = names.find((name) => !TYPES.includes(name as string));
    if (wrong === undefined && names.length > 0) return undefined;
    return `has a primitive type that is NOT VALID -- given: /${String(wrong)}/ Expected valid values are:[${TYPES.join(' ')}]`;
  },
  pattern: (value) => {
    if (!isText(value)) return 'must be of a string';
    try {
      compileRegexp(value);
      return undefined;
    } catch {
      return 'must be a valid regex';
    }
  },
};

const SINGLE_SCHEMAS = [
  'additionalItems',
  'additionalProperties',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
];
const SCHEMA_LISTS = ['allOf', 'anyOf', 'oneOf'];
const SCHEMA_MAPS = ['properties', 'patternProperties', 'definitions'];

/** Throws for the first thing about a schema that is wrong; references are followed as far as being there. */
export const checkSchema = (
  schema: Value,
  resolver: ReferenceResolver,
  spend: (steps: number) => void,
  depth = 0,
): void => {
  spend(1);
  if (depth > MAX_DEPTH) throw new Error('schema nests too deeply');
  if (typeof schema === 'boolean') return;
  if (!isObject(schema)) throw new Error('schema is invalid: must be of an object or boolean');
  for (const [keyword, value] of schema) {
    const check = Object.hasOwn(KEYWORDS, keyword as string) ? KEYWORDS[keyword as string] : undefined;
    const complaint = check?.(value);
    if (complaint !== undefined)
      throw new Error(complaint.startsWith('has') ? complaint : `${String(keyword)} ${complaint}`);
  }
  const reference = schema.getString('$ref');
  if (typeof reference === 'string') resolver.resolve(reference);
  for (const inner of schemasIn(schema)) checkSchema(inner, resolver, spend, depth + 1);
};

const schemasIn = (schema: RegoObject): Value[] => {
  const inner: Value[] = [];
  for (const keyword of SINGLE_SCHEMAS) {
    const value = schema.getString(keyword);
    if (value !== undefined) inner.push(value);
  }
  for (const keyword of SCHEMA_LISTS) inner.push(...schemaList(schema, keyword));
  for (const keyword of SCHEMA_MAPS) {
    const value = schema.getString(keyword);
    if (value === undefined) continue;
    if (!isObject(value)) throw new Error(`${keyword} must be of an object`);
    inner.push(...value.values());
  }
  const items = schema.getString('items');
  if (items !== undefined) inner.push(...(isArray(items) ? items : [items]));
  const dependencies = schema.getString('dependencies');
  if (isObject(dependencies)) inner.push(...[...dependencies.values()].filter((value) => !isArray(value)));
  return inner;
};

const schemaList = (schema: RegoObject, keyword: string): readonly Value[] => {
  const value = schema.getString(keyword);
  if (value === undefined) return [];
  if (!isArray(value) || value.length === 0 || !value.every(isSchema)) {
    throw new Error(`${keyword} must be of an array of schemas`);
  }
  return value;
};
