import { type BuiltinDeclaration, operandError } from '../builtin.ts';
import { ANY, arrayOf, BOOLEAN, NULL, objectOf, STRING, setOf, type Type } from '../types/index.ts';
import { isArray, isSet, RegoSet, type TypeName, typeName, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';

const is = (name: TypeName): BuiltinDeclaration =>
  builtin(`is_${name}`, [ANY], BOOLEAN, (args) => typeName(args[0]!) === name);

/** A cast that only lets values of its type through; kept for old policies. */
const cast = (name: TypeName, result: Type): BuiltinDeclaration =>
  builtin(
    `cast_${name}`,
    [ANY],
    result,
    (args) => {
      const value = args[0]!;
      if (typeName(value) !== name) throw operandError(1, value, name);
      return value;
    },
    { deprecated: true },
  );

const castArray = (args: readonly Value[]): Value => {
  const value = args[0]!;
  if (isArray(value)) return value;
  if (isSet(value)) return value.sorted;
  throw operandError(1, value, 'array', 'set');
};

const castSet = (args: readonly Value[]): Value => {
  const value = args[0]!;
  if (isSet(value)) return value;
  if (isArray(value)) return new RegoSet(value);
  throw operandError(1, value, 'array', 'set');
};

export const typeBuiltins: readonly BuiltinDeclaration[] = [
  is('null'),
  is('boolean'),
  is('number'),
  is('string'),
  is('array'),
  is('object'),
  is('set'),
  builtin('type_name', [ANY], STRING, (args) => typeName(args[0]!)),
  cast('null', NULL),
  cast('boolean', BOOLEAN),
  cast('string', STRING),
  cast('object', objectOf(ANY, ANY)),
  builtin('cast_array', [ANY], arrayOf(ANY), castArray, { deprecated: true }),
  builtin('cast_set', [ANY], setOf(ANY), castSet, { deprecated: true }),
];
