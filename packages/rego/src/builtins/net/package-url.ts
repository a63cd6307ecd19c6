import { compareStrings } from '../../value/index.ts';
import { unescapePercent } from '../encoding/urlquery.ts';

/** A package URL (https://github.com/package-url/purl-spec); what is not there is empty. */
export interface PackageUrl {
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  /** Sorted by key. */
  readonly qualifiers: readonly (readonly [string, string])[];
  readonly subpath: string;
}

/** Types whose names are not told apart by case. */
const LOWER_CASE_NAMES = [
  'alpm',
  'apk',
  'bitbucket',
  'bitnami',
  'composer',
  'deb',
  'github',
  'golang',
  'npm',
  'pypi',
];
const LOWER_CASE_NAMESPACES = [
  'alpm',
  'apk',
  'bitbucket',
  'composer',
  'deb',
  'github',
  'golang',
  'npm',
  'qpkg',
  'rpm',
];

/** Reads and normalises a package URL, from right to left as its specification says. Throws where it is not one. */
export const parsePackageUrl = (text: string): PackageUrl => {
  const [beforeHash, subpath = ''] = splitLast(text, '#');
  const [beforeQuestion, query = ''] = splitLast(beforeHash, '?');
  const scheme = /^pkg:\/*/i.exec(beforeQuestion);
  if (scheme === null) throw new Error(`purl scheme is not "pkg"`);
  const path = beforeQuestion.slice(scheme[0].length).replace(/\/+$/, '');
  const slash = path.indexOf('/');
  if (slash < 0) throw new Error('purl is missing type or name');
  const type = path.slice(0, slash).toLowerCase();
  if (!/^[a-z.+-][a-z0-9.+-]*$/.test(type)) throw new Error('invalid type in purl');
  const rest = path.slice(slash + 1);
  const at = rest.lastIndexOf('@');
  // An @ that begins a segment belongs to the name of a scope.
  const hasVersion = at > 0 && rest[at - 1] !== '/' && !rest.slice(at).includes('/');
  const segments = (hasVersion ? rest.slice(0, at) : rest).split('/').filter(Boolean).map(unescapePercent);
  const name = segments.pop();
  if (name === undefined || name === '') throw new Error('name is required');
  const namespace = segments.join('/');
  return {
    type,
    namespace: LOWER_CASE_NAMESPACES.includes(type) ? namespace.toLowerCase() : namespace,
    name: normalizedName(type, name),
    version: hasVersion ? unescapePercent(rest.slice(at + 1)) : '',
    qualifiers: readQualifiers(query),
    subpath: subpath
      .split('/')
      .filter((segment) => segment !== '' && segment !== '.' && segment !== '..')
      .map(unescapePercent)
      .join('/'),
  };
};

const normalizedName = (type: string, name: string): string => {
  const cased = LOWER_CASE_NAMES.includes(type) ? name.toLowerCase() : name;
  return type === 'pypi' ? cased.replaceAll('_', '-') : cased;
};

const splitLast = (text: string, separator: string): [string, string | undefined] => {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
};

const readQualifiers = (query: string): [string, string][] => {
  const qualifiers = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = (equals < 0 ? pair : pair.slice(0, equals)).toLowerCase();
    if (!/^[a-z._-][a-z0-9._-]*$/.test(key)) throw new Error(`invalid qualifier key: ${JSON.stringify(key)}`);
    if (qualifiers.has(key)) throw new Error(`duplicate qualifier key: ${JSON.stringify(key)}`);
    const value = equals < 0 ? '' : unescapePercent(pair.slice(equals + 1));
    if (value !== '') qualifiers.set(key, value);
  }
  return [...qualifiers].sort(([a], [b]) => compareStrings(a, b));
};
