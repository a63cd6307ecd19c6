import {
  type BuiltinContext,
  type BuiltinDeclaration,
  BuiltinError,
  OperandError,
  operandError,
} from '../builtin.ts';
import { RegoError } from '../error.ts';
import { ANY, anyOf, arrayOf, BOOLEAN, objectOf, record, STRING, setOf } from '../types/index.ts';
import { compareStrings, isArray, isSet, RegoObject, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { decodeBase64, decodeBase64Url } from './encoding/base64.ts';
import { bytesOfText, textOfBytes } from './encoding/bytes.ts';
import { decodeHex } from './encoding/hex.ts';
import { type JsonLayout, layoutLength, marshalJson, unmarshalJson } from './encoding/json.ts';
import { escapeQuery, parseQuery, unescapeQuery } from './encoding/urlquery.ts';
import { marshalYaml, unmarshalYaml } from './encoding/yaml.ts';
import { boundedString, checkStringLength, objectAt, stringAt, wrongElement } from './operands.ts';

type Transform = (text: string) => Value;

/** A built-in of one string that makes something of it; what it throws is the built-in's error. */
const ofText =
  (transform: Transform) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = stringAt(args, 0);
    checkStringLength(text.length, context);
    const result = wrapped(() => transform(text));
    return typeof result === 'string' ? boundedString(result, context) : result;
  };

/** Whether a string can be read; what is not a string cannot. */
const isReadable =
  (transform: (text: string) => unknown) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = args[0]!;
    if (typeof text !== 'string') return false;
    checkStringLength(text.length, context);
    try {
      transform(text);
      return true;
    } catch {
      return false;
    }
  };

/** Runs what throws plain errors, as a built-in that fails. */
export const wrapped = <Result>(work: () => Result): Result => {
  try {
    return work();
  } catch (thrown) {
    // Limits end the evaluation, whatever is under way.
    if (thrown instanceof BuiltinError || thrown instanceof RegoError) throw thrown;
    throw new BuiltinError(thrown instanceof Error ? thrown.message : String(thrown));
  }
};

const marshal = (args: readonly Value[], context: BuiltinContext): Value =>
  boundedString(
    wrapped(() => marshalJson(args[0]!)),
    context,
  );

const marshalWithOptions = (args: readonly Value[], context: BuiltinContext): Value => {
  const options = objectAt(args, 1);
  let pretty = options.has('indent') || options.has('prefix');
  const layout: { -readonly [Name in keyof JsonLayout]: JsonLayout[Name] } = { prefix: '', indent: '\t' };
  for (const [name, value] of options) {
    if (name === 'pretty') pretty = typeof value === 'boolean' ? value : wrongOption('pretty', 'bool');
    else if (name === 'indent' || name === 'prefix') {
      layout[name] = typeof value === 'string' ? value : wrongOption(name, 'string');
    } else throw new OperandError(`operand 2 object contained unknown key ${String(name)}`);
  }
  if (!pretty) return boundedString(marshalJson(args[0]!), context);
  checkStringLength(layoutLength(args[0]!, layout), context);
  return boundedString(marshalJson(args[0]!, layout), context);
};

const wrongOption = (name: string, type: string): never => {
  throw new OperandError(`operand 2 key '${name}' failed cast to ${type}`);
};

const encodeObject = (args: readonly Value[], context: BuiltinContext): Value => {
  const pairs: [string, string][] = [];
  for (const [name, value] of objectAt(args, 0)) {
    if (typeof name !== 'string') throw operandError(1, name, 'string');
    for (const text of queryValues(value)) pairs.push([name, text]);
  }
  pairs.sort(([a], [b]) => compareStrings(a, b));
  return boundedString(
    pairs.map(([name, text]) => `${escapeQuery(name)}=${escapeQuery(text)}`).join('&'),
    context,
  );
};

const queryValues = (value: Value): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (!isArray(value) && !isSet(value)) throw operandError(1, value, 'string', 'array', 'set');
  const list = isArray(value) ? value : value.sorted;
  for (const element of list)
    if (typeof element !== 'string') throw wrongElement(1, value, element, 'string');
  return list as readonly string[];
};

const decodeObject = (text: string): Value => new RegoObject(parseQuery(text));

const decodeStandard = (text: string): Buffer => decodeBase64(text, 'standard');
const encodeAs =
  (encoding: 'base64' | 'hex'): Transform =>
  (text) =>
    bytesOfText(text).toString(encoding);
const toUrlAlphabet = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');

const OPTIONS = record({ indent: STRING, prefix: STRING, pretty: BOOLEAN }, { key: STRING, value: ANY });
const QUERY_VALUES = anyOf(STRING, arrayOf(STRING), setOf(STRING));

/** Encodings of strings and values. */
export const encodingBuiltins: readonly BuiltinDeclaration[] = [
  builtin('base64.encode', [STRING], STRING, ofText(encodeAs('base64'))),
  builtin(
    'base64.decode',
    [STRING],
    STRING,
    ofText((text) => textOfBytes(decodeStandard(text))),
  ),
  builtin('base64.is_valid', [STRING], BOOLEAN, isReadable(decodeStandard)),
  builtin(
    'base64url.encode',
    [STRING],
    STRING,
    ofText((text) => toUrlAlphabet(bytesOfText(text).toString('base64'))),
  ),
  builtin(
    'base64url.encode_no_pad',
    [STRING],
    STRING,
    ofText((text) => bytesOfText(text).toString('base64url')),
  ),
  builtin(
    'base64url.decode',
    [STRING],
    STRING,
    ofText((text) => textOfBytes(decodeBase64Url(text))),
  ),
  builtin('hex.encode', [STRING], STRING, ofText(encodeAs('hex'))),
  builtin(
    'hex.decode',
    [STRING],
    STRING,
    ofText((text) => textOfBytes(decodeHex(text))),
  ),
  builtin('urlquery.encode', [STRING], STRING, ofText(escapeQuery)),
  builtin('urlquery.decode', [STRING], STRING, ofText(unescapeQuery)),
  builtin('urlquery.encode_object', [objectOf(STRING, QUERY_VALUES)], STRING, encodeObject),
  builtin('urlquery.decode_object', [STRING], objectOf(STRING, arrayOf(STRING)), ofText(decodeObject)),
  builtin('json.marshal', [ANY], STRING, marshal),
  builtin('json.marshal_with_options', [ANY, OPTIONS], STRING, marshalWithOptions),
  builtin('json.unmarshal', [STRING], ANY, ofText(unmarshalJson)),
  builtin('json.is_valid', [STRING], BOOLEAN, isReadable(unmarshalJson)),
  builtin('yaml.marshal', [ANY], STRING, (args, context) =>
    boundedString(
      wrapped(() => marshalYaml(args[0]!)),
      context,
    ),
  ),
  builtin('yaml.unmarshal', [STRING], ANY, ofText(unmarshalYaml)),
  builtin('yaml.is_valid', [STRING], BOOLEAN, isReadable(unmarshalYaml)),
];
