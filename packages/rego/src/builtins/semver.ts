import { type BuiltinDeclaration, BuiltinError } from '../builtin.ts';
import { ANY, BOOLEAN, NUMBER, STRING } from '../types/index.ts';
import { quote, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { stringAt } from './operands.ts';

interface Version {
  readonly numbers: readonly bigint[];
  readonly preRelease: readonly string[];
}

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]*))?(?:\+([0-9A-Za-z.-]*))?$/;

const MAX_NUMBER = 2n ** 63n - 1n;

const parse = (text: string): Version | undefined => {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1, 4).map(BigInt);
  if (numbers.some((number) => number > MAX_NUMBER)) return undefined;
  return { numbers, preRelease: match[4] ? match[4].split('.') : [] };
};

/** Precedence of Semantic Versioning 2.0.0, section 11; build metadata does not count. */
const compareVersions = (a: Version, b: Version): number => {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index]!;
    if (number !== other) return number < other ? -1 : 1;
  }
  if (a.preRelease.length === 0 || b.preRelease.length === 0) {
    return Math.sign(b.preRelease.length - a.preRelease.length);
  }
  for (let index = 0; index < Math.min(a.preRelease.length, b.preRelease.length); index++) {
    const order = compareIdentifiers(a.preRelease[index]!, b.preRelease[index]!);
    if (order !== 0) return order;
  }
  return Math.sign(a.preRelease.length - b.preRelease.length);
};

const compareIdentifiers = (a: string, b: string): number => {
  const numeric = /^\d+$/.test(a);
  if (numeric !== /^\d+$/.test(b)) return numeric ? -1 : 1;
  if (!numeric) return a < b ? -1 : a > b ? 1 : 0;
  return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
};

const versionAt = (args: readonly Value[], index: number): Version => {
  const text = stringAt(args, index);
  const version = parse(text);
  if (version === undefined) {
    throw new BuiltinError(`operand ${index + 1}: string ${quote(text)} is not a valid SemVer`);
  }
  return version;
};

const isValid = (args: readonly Value[]): Value =>
  typeof args[0] === 'string' && parse(args[0]) !== undefined;

export const semverBuiltins: readonly BuiltinDeclaration[] = [
  builtin('semver.compare', [STRING, STRING], NUMBER, (args) =>
    compareVersions(versionAt(args, 0), versionAt(args, 1)),
  ),
  builtin('semver.is_valid', [ANY], BOOLEAN, isValid),
];
