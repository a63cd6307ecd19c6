import { type BuiltinContext, type BuiltinDeclaration, BuiltinError } from '../builtin.ts';
import { ANY, anyOf, arrayOf, BOOLEAN, NULL, objectOf, record, STRING, tuple } from '../types/index.ts';
import { isObject, jsonText, parseJson, RegoObject, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { unmarshalJson } from './encoding/json.ts';
import { wrapped } from './encoding.ts';
import { compiledOnce } from './pattern-cache.ts';
import { compileRegexp } from './regex/regexp.ts';
import { checkSchema } from './schema/check.ts';
import { ReferenceResolver, type Schema } from './schema/reference.ts';
import type { Mistake } from './schema/result.ts';
import { validate } from './schema/validate.ts';

/** JSON text, or an object as JSON. Throws for anything else. */
const jsonOf = (value: Value): Value => {
  if (typeof value === 'string') return unmarshalJson(value);
  if (isObject(value)) return parseJson(jsonText(value));
  throw new Error('wrong type, expected string or object');
};

interface CompiledSchema {
  readonly root: Schema;
  readonly resolver: ReferenceResolver;
}

const compileSchema = (value: Value, context: BuiltinContext): CompiledSchema => {
  const root = jsonOf(value);
  if (!isObject(root) && typeof root !== 'boolean') throw new Error('schema is invalid');
  const resolver = new ReferenceResolver(root);
  checkSchema(root, resolver, (steps) => context.spend(steps));
  return { root, resolver };
};

const compiled = (value: Value, context: BuiltinContext): CompiledSchema => {
  const key = typeof value === 'string' ? value : isObject(value) ? value.key : '';
  if (key === '') return compileSchema(value, context);
  return compiledOnce(context, 'jsonschema', key, () => compileSchema(value, context));
};

/** `[true, null]`, or false with what is wrong about the schema. */
const verifySchema = (args: readonly Value[], context: BuiltinContext): Value => {
  try {
    wrapped(() => compiled(args[0]!, context));
    return [true, null];
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return [false, `jsonschema: ${thrown.message}`];
    throw thrown;
  }
};

const matchSchema = (args: readonly Value[], context: BuiltinContext): Value => {
  const document = wrapped(() => jsonOf(args[0]!));
  const { root, resolver } = wrapped(() => compiled(args[1]!, context));
  const spend = (steps: number): void => context.spend(steps);
  const matches = (pattern: string, text: string): boolean =>
    compiledOnce(context, 'regex', pattern, () => compileRegexp(pattern)).test(text, context);
  const mistakes = wrapped(() => validate(document, root, { resolver, matches, spend }));
  return [mistakes.length === 0, mistakes.map(mistakeValue)];
};

const mistakeValue = ({ type, field, description }: Mistake): Value =>
  new RegoObject([
    ['error', `${field}: ${description}`],
    ['type', type],
    ['field', field],
    ['desc', description],
  ]);

const TEXT_OR_OBJECT = anyOf(STRING, objectOf(ANY, ANY));
const MISTAKE = record({ error: STRING, type: STRING, field: STRING, desc: STRING });

export const schemaBuiltins: readonly BuiltinDeclaration[] = [
  builtin('json.verify_schema', [TEXT_OR_OBJECT], tuple(BOOLEAN, anyOf(STRING, NULL)), verifySchema),
  builtin(
    'json.match_schema',
    [TEXT_OR_OBJECT, TEXT_OR_OBJECT],
    tuple(BOOLEAN, arrayOf(MISTAKE)),
    matchSchema,
  ),
];
