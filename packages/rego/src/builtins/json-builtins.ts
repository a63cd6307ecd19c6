import { type BuiltinContext, type BuiltinDeclaration, OperandError } from '../builtin.ts';
import { ANY, anyOf, arrayOf, objectOf, record, STRING, setOf } from '../types/index.ts';
import { isObject, typeName, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { applyOperation, PatchFailure, readOperation } from './json/patch.ts';
import { pathsAt } from './json/path.ts';
import { drop, keep, type PathTree, treeOf } from './json/select.ts';
import { arrayAt, objectAt } from './operands.ts';

const select =
  (pick: (value: Value, tree: PathTree) => Value | undefined) =>
  (args: readonly Value[], context: BuiltinContext): Value | undefined => {
    const document = objectAt(args, 0);
    const paths = pathsAt(args, 1);
    context.spend(document.size + paths.reduce((steps, path) => steps + path.length, 1));
    return pick(document, treeOf(paths));
  };

/** Undefined when an operation does not fit the document. */
const patch = (args: readonly Value[], context: BuiltinContext): Value | undefined => {
  const operations = arrayAt(args, 1);
  try {
    return operations.reduce<Value>((document, element) => {
      if (!isObject(element)) {
        throw new OperandError(
          `operand 2 must be array of JSON-Patch objects but got array containing ${typeName(element)}`,
        );
      }
      return applyOperation(document, readOperation(element), context);
    }, args[0]!);
  } catch (thrown) {
    if (thrown instanceof PatchFailure) return undefined;
    throw thrown;
  }
};

const PATH = anyOf(STRING, arrayOf(ANY));
const PATHS = anyOf(arrayOf(PATH), setOf(PATH));
const OPERATION = record({ op: STRING, path: ANY }, { key: ANY, value: ANY });

export const jsonBuiltins: readonly BuiltinDeclaration[] = [
  builtin('json.filter', [objectOf(ANY, ANY), PATHS], ANY, select(keep)),
  builtin('json.remove', [objectOf(ANY, ANY), PATHS], ANY, select(drop)),
  builtin('json.patch', [ANY, arrayOf(OPERATION)], ANY, patch),
];
