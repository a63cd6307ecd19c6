import { aggregateBuiltins } from './aggregates.ts';
import { arithmeticBuiltins } from './arithmetic.ts';
import { arrayBuiltins } from './arrays.ts';
import { bitsBuiltins } from './bits.ts';
import { comparisonBuiltins } from './comparison.ts';
import { encodingBuiltins } from './encoding.ts';
import { globBuiltins } from './glob-builtins.ts';
import { graphBuiltins } from './graph.ts';
import { jsonBuiltins } from './json-builtins.ts';
import { netBuiltins } from './net-builtins.ts';
import { numberBuiltins } from './numbers.ts';
import { objectBuiltins } from './objects.ts';
import { regexBuiltins } from './regex-builtins.ts';
import { semverBuiltins } from './semver.ts';
import { setBuiltins } from './sets.ts';
import { printBuiltins } from './sprintf.ts';
import { replaceBuiltins } from './strings-replace.ts';
import { searchBuiltins } from './strings-search.ts';
import { trimBuiltins } from './strings-trim.ts';
import { stringBuiltins } from './strings.ts';
import { timeBuiltins } from './time-builtins.ts';
import { typeBuiltins } from './types.ts';
import { unitBuiltins } from './units.ts';
import { uuidBuiltins } from './uuid.ts';
import type { BuiltinDeclaration } from './contract.ts';

/** All built-in functions by name. */
export const builtins: ReadonlyMap<string, BuiltinDeclaration> = new Map(
  [aggregateBuiltins, arithmeticBuiltins, arrayBuiltins, bitsBuiltins, comparisonBuiltins, encodingBuiltins, globBuiltins, graphBuiltins, jsonBuiltins, netBuiltins, numberBuiltins, objectBuiltins, regexBuiltins, semverBuiltins, setBuiltins, printBuiltins, replaceBuiltins, searchBuiltins, trimBuiltins, stringBuiltins, timeBuiltins, typeBuiltins, unitBuiltins, uuidBuiltins].flat().map((declaration) => [declaration.name, declaration] as const),
);
