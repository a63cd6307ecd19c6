export { compare, compareStrings, equal } from './compare.ts';
export {
  compareNumbers,
  Decimal,
  isInteger,
  numberFromBigInt,
  numberFromDouble,
  numberFromText,
  numberText,
  toBigInt,
  toDouble,
} from './decimal.ts';
export { format, quote } from './format.ts';
export { fromJson, type Json, type JsonObject, jsonText, keyName, parseJson, toJson } from './json.ts';
export { embeddedKey, type Key, keyOf, stringKey } from './key.ts';
export { RegoObject } from './object.ts';
export { RegoSet } from './set.ts';
export {
  isArray,
  isNumber,
  isObject,
  isSet,
  type RegoArray,
  type RegoNumber,
  type TypeName,
  typeName,
  type Value,
} from './value.ts';
