import { OperandError, operandError } from '../../builtin.ts';
import { isArray, isSet, typeName, type Value } from '../../value/index.ts';

/** The steps to a place in a document. */
export type Path = readonly Value[];

/** `a/b~1c` (RFC 6901, the first slash left out or not) or an array of steps; undefined for anything else. */
export const parsePath = (path: Value): Path | undefined => {
  if (isArray(path)) return path;
  if (typeof path !== 'string') return undefined;
  if (path === '') return [];
  return path
    .replace(/^\/+/, '')
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
};

/** The paths of a set or an array. Throws an OperandError. */
export const pathsAt = (args: readonly Value[], index: number): Path[] => {
  const operand = args[index]!;
  if (!isSet(operand) && !isArray(operand)) throw operandError(index + 1, operand, 'set', 'array');
  const list = isArray(operand) ? operand : operand.sorted;
  return list.map((element) => {
    const path = parsePath(element);
    if (path !== undefined) return path;
    throw new OperandError(
      `operand ${index + 1} must be one of {set, array} containing string paths or array of path segments but got ${typeName(element)}`,
    );
  });
};
