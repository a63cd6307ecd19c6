import { type BuiltinContext, type BuiltinDeclaration, BuiltinError } from '../builtin.ts';
import { ANY, BOOLEAN, objectOf, STRING } from '../types/index.ts';
import { RegoObject, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import { parsePackageUrl } from './net/package-url.ts';
import { hostnameOf, parseUrl, portOf } from './net/url.ts';
import { stringAt } from './operands.ts';

/** An object of the members that are not empty. */
const presentMembers = (members: readonly (readonly [string, Value])[]): RegoObject =>
  new RegoObject(members.filter(([, value]) => value !== ''));

const parseUri = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  context.spend(1 + (text.length >> 6));
  const url = wrapped(() => parseUrl(text));
  return presentMembers([
    ['scheme', url.scheme],
    ['hostname', hostnameOf(url)],
    ['port', portOf(url)],
    ['path', url.path],
    ['raw_path', url.rawPath || url.path],
    ['raw_query', url.rawQuery],
    ['fragment', url.fragment],
  ]);
};

const parsePurl = (args: readonly Value[], context: BuiltinContext): Value => {
  const text = stringAt(args, 0);
  context.spend(1 + (text.length >> 6));
  try {
    const { type, namespace, name, version, qualifiers, subpath } = parsePackageUrl(text);
    const result = presentMembers([
      ['type', type],
      ['namespace', namespace],
      ['name', name],
      ['version', version],
      ['subpath', subpath],
    ]);
    if (qualifiers.length > 0) result.set('qualifiers', new RegoObject(qualifiers));
    return result;
  } catch (thrown) {
    throw new BuiltinError(`invalid PURL ${JSON.stringify(text)}: ${(thrown as Error).message}`);
  }
};

const isReadable =
  (read: (text: string) => unknown) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const text = args[0]!;
    if (typeof text !== 'string' || text === '') return false;
    context.spend(1 + (text.length >> 6));
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };

const PARTS = objectOf(STRING, ANY);

/** Identifiers: URIs and package URLs. */
export const uriBuiltins: readonly BuiltinDeclaration[] = [
  builtin('uri.parse', [STRING], PARTS, parseUri),
  builtin('uri.is_valid', [ANY], BOOLEAN, isReadable(parseUrl)),
  builtin('purl.parse', [STRING], PARTS, parsePurl),
  builtin('purl.is_valid', [ANY], BOOLEAN, isReadable(parsePackageUrl)),
];
