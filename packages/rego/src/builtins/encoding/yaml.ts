import { createRequire } from 'node:module';
import type { Document, ParsedNode, ScalarTag, Tags } from 'yaml';
import {
  isArray,
  isObject,
  isSet,
  keyName,
  numberFromBigInt,
  numberFromDouble,
  numberText,
  RegoObject,
  type Value,
} from '../../value/index.ts';
import { textOfBytes } from './bytes.ts';

type Yaml = typeof import('yaml');

/** Loaded when first needed: few policies read YAML. */
let loaded: Yaml | undefined;
const yaml = (): Yaml => {
  loaded ??= createRequire(import.meta.url)('yaml') as Yaml;
  return loaded;
};

/** How often aliases may repeat what they point to, against documents that grow when they are read. */
const MAX_ALIASES = 100;

/**
 * Reads a YAML document as JSON: YAML 1.1 as Go's yaml.v2 knows it, dates being strings and keys made strings.
 * @throws Error `yaml: line N: ...`
 */
export const unmarshalYaml = (text: string): Value => {
  const document = yaml().parseDocument(text, {
    version: '1.1',
    merge: true,
    intAsBigInt: true,
    logLevel: 'silent',
    customTags: withoutDates,
  });
  checkErrors(document);
  return fromYaml(document.toJS({ maxAliasCount: MAX_ALIASES, mapAsMap: true }));
};

const withoutDates = (tags: Tags): Tags =>
  tags.filter((tag) => {
    if (typeof tag === 'string') return true;
    return tag.tag !== 'tag:yaml.org,2002:timestamp' && (tag as ScalarTag).format !== 'TIME';
  });

const checkErrors = (document: Document.Parsed<ParsedNode>): void => {
  const [error] = document.errors;
  if (error === undefined) return;
  const line = error.linePos?.[0].line ?? 1;
  const inFlow = error.code === 'BAD_INDENT' || /flow (sequence|map|collection)/i.test(error.message);
  const reason = inFlow ? "did not find expected ',' or ']'" : (error.message.split('\n')[0] ?? '');
  throw new Error(`yaml: line ${line}: ${reason}`);
};

const fromYaml = (read: unknown): Value => {
  switch (typeof read) {
    case 'string':
    case 'boolean':
      return read;
    case 'number':
      return numberFromDouble(read);
    case 'bigint':
      return numberFromBigInt(read);
    default:
      break;
  }
  if (read === null || read === undefined) return null;
  if (Array.isArray(read)) return read.map(fromYaml);
  if (read instanceof Uint8Array) return textOfBytes(read);
  if (read instanceof Set)
    return new RegoObject(Array.from(read, (member) => [keyText(member), null] as const));
  const entries = read instanceof Map ? [...read] : Object.entries(read);
  return new RegoObject(entries.map(([key, member]) => [keyText(key), fromYaml(member)] as const));
};

const keyText = (key: unknown): string => {
  if (key === null) return 'null';
  if (typeof key === 'object') throw new Error('yaml: a map key must be a scalar');
  return String(key);
};

/** Writes a value as Go's yaml.v2 does: members sorted, lists not indented below their name. */
export const marshalYaml = (value: Value): string => {
  const { Document, visit } = yaml();
  const document = new Document(toYaml(value), {
    version: '1.1',
    aliasDuplicateObjects: false,
    customTags: withoutOrderedMaps,
  });
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'string') node.type = styleOf(node.value);
    },
  });
  return document.toString({
    indentSeq: false,
    lineWidth: 0,
    singleQuote: true,
    flowCollectionPadding: false,
  });
};

/** Maps are maps, in the order in which they are given. */
const withoutOrderedMaps = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag === 'string' || !/:(omap|pairs|set)$/.test(tag.tag));

const styleOf = (text: string): 'BLOCK_LITERAL' | 'QUOTE_DOUBLE' | 'PLAIN' => {
  if (text.includes('\n')) return 'BLOCK_LITERAL';
  return isAmbiguous(text) ? 'QUOTE_DOUBLE' : 'PLAIN';
};

/** Whether plain text would be read as something else than a string. */
const isAmbiguous = (text: string): boolean =>
  text === '' ||
  /^(~|null|y|yes|n|no|true|false|on|off|<<|=)$/i.test(text) ||
  /^[-+]?(\.?\d[\d_]*\.?[\d_]*([eE][-+]?\d+)?|0[xob][\da-fA-F_]+|\.inf|\.nan)$/i.test(text) ||
  /^\d{4}-\d\d?-\d\d?([Tt ].*)?$/.test(text);

const toYaml = (value: Value): unknown => {
  if (value === null || typeof value !== 'object') return value;
  if (isArray(value)) return value.map(toYaml);
  if (isSet(value)) return value.sorted.map(toYaml);
  if (isObject(value)) {
    const names = Array.from(value.keys(), (key) => [keyName(key), value.get(key)!] as const);
    return new Map(
      names.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, toYaml(member)]),
    );
  }
  const text = numberText(value);
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
};
