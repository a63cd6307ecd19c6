import type { BuiltinDeclaration } from '../builtin.ts';
import { aggregateBuiltins } from './aggregates.ts';
import { arithmeticBuiltins } from './arithmetic.ts';
import { arrayBuiltins } from './arrays.ts';
import { awsBuiltins } from './aws.ts';
import { bitsBuiltins } from './bits.ts';
import { comparisonBuiltins } from './comparison.ts';
import { cryptoBuiltins } from './crypto-builtins.ts';
import { encodingBuiltins } from './encoding.ts';
import { globBuiltins } from './glob-builtins.ts';
import { graphBuiltins } from './graph.ts';
import { graphqlBuiltins } from './graphql-builtins.ts';
import { jsonBuiltins } from './json-builtins.ts';
import { jwtBuiltins } from './jwt-builtins.ts';
import { netBuiltins } from './net-builtins.ts';
import { numberBuiltins } from './numbers.ts';
import { objectBuiltins } from './objects.ts';
import { regexBuiltins } from './regex-builtins.ts';
import { regoBuiltins } from './rego.ts';
import { templateBuiltins } from './render-template.ts';
import { schemaBuiltins } from './schema-builtins.ts';
import { semverBuiltins } from './semver.ts';
import { setBuiltins } from './sets.ts';
import { printBuiltins } from './sprintf.ts';
import { stringBuiltins } from './strings.ts';
import { timeBuiltins } from './time-builtins.ts';
import { typeBuiltins } from './types.ts';
import { unitBuiltins } from './units.ts';
import { uriBuiltins } from './uri.ts';
import { uuidBuiltins } from './uuid.ts';

const families: readonly (readonly BuiltinDeclaration[])[] = [
  comparisonBuiltins,
  arithmeticBuiltins,
  bitsBuiltins,
  numberBuiltins,
  aggregateBuiltins,
  arrayBuiltins,
  setBuiltins,
  objectBuiltins,
  stringBuiltins,
  printBuiltins,
  templateBuiltins,
  regexBuiltins,
  globBuiltins,
  unitBuiltins,
  typeBuiltins,
  encodingBuiltins,
  jsonBuiltins,
  schemaBuiltins,
  timeBuiltins,
  cryptoBuiltins,
  jwtBuiltins,
  graphBuiltins,
  graphqlBuiltins,
  semverBuiltins,
  uuidBuiltins,
  netBuiltins,
  uriBuiltins,
  awsBuiltins,
  regoBuiltins,
];

/** All built-ins of OPA but `rego.metadata.*`, which the compiler answers, by name. */
export const builtins: ReadonlyMap<string, BuiltinDeclaration> = new Map(
  families.flat().map((declaration) => [declaration.name, declaration]),
);
