import type { BuiltinContext } from '../../builtin.ts';
import { equal, isArray, isObject, isSet, RegoObject, RegoSet, type Value } from '../../value/index.ts';
import { checkSize } from '../operands.ts';
import { type Path, parsePath } from './path.ts';

/** An operation that cannot be applied: the whole patch has no result. */
export class PatchFailure extends Error {
  override readonly name = 'PatchFailure';
}

/** One operation of RFC 6902. */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: Path; readonly value: Value }
  | { readonly op: 'remove'; readonly path: Path }
  | { readonly op: 'move' | 'copy'; readonly path: Path; readonly from: Path };

/** Reads an operation. Throws a PatchFailure. */
export const readOperation = (patch: RegoObject): Operation => {
  const op = patch.getString('op');
  const path = pathIn(patch, 'path');
  switch (op) {
    case 'add':
    case 'replace':
    case 'test': {
      const value = patch.getString('value');
      if (value === undefined) throw new PatchFailure(`missing value in ${op}`);
      return { op, path, value };
    }
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy':
      return { op, path, from: pathIn(patch, 'from') };
    default:
      throw new PatchFailure('unrecognized op');
  }
};

const pathIn = (patch: RegoObject, name: 'path' | 'from'): Path => {
  const value = patch.getString(name);
  const path = value === undefined ? undefined : parsePath(value);
  if (path === undefined) throw new PatchFailure(`invalid ${name}`);
  return path;
};

/** The document after an operation. Throws a PatchFailure. */
export const applyOperation = (document: Value, operation: Operation, context: BuiltinContext): Value => {
  switch (operation.op) {
    case 'add':
      return insert(document, operation.path, operation.value, context);
    case 'remove':
      return remove(document, operation.path, context);
    case 'replace':
      return replace(document, operation.path, operation.value, context);
    case 'test':
      if (!equal(read(document, operation.path), operation.value)) throw new PatchFailure('value is another');
      return document;
    case 'copy':
      return insert(document, operation.path, read(document, operation.from), context);
    case 'move': {
      const value = read(document, operation.from);
      return insert(remove(document, operation.from, context), operation.path, value, context);
    }
    default: {
      const never: never = operation;
      return never;
    }
  }
};

const read = (document: Value, path: Path): Value =>
  path.reduce<Value>((value, step) => childOf(value, step), document);

const childOf = (value: Value, step: Value): Value => {
  let child: Value | undefined;
  if (isArray(value)) child = value[indexIn(value, step, value.length - 1)];
  else if (isObject(value)) child = value.get(step);
  else if (isSet(value)) child = value.get(step);
  if (child === undefined) throw new PatchFailure('no such path');
  return child;
};

/** Applies a change to the collection that holds the last step, and rebuilds all collections above it. */
const change = (
  document: Value,
  path: Path,
  context: BuiltinContext,
  edit: (container: Value, step: Value) => Value,
): Value => {
  const [step, ...rest] = path;
  if (step === undefined) throw new PatchFailure('the document itself');
  context.spend(1);
  if (rest.length === 0) return edit(document, step);
  return withChild(document, step, change(childOf(document, step), rest, context, edit));
};

const withChild = (container: Value, step: Value, child: Value): Value => {
  if (isArray(container)) return container.with(indexIn(container, step, container.length - 1), child);
  if (isObject(container)) {
    const result = new RegoObject(container);
    result.set(step, child);
    return result;
  }
  // A member of a set that is changed is another member.
  return added(without(container, step), child);
};

const insert = (document: Value, path: Path, value: Value, context: BuiltinContext): Value => {
  if (path.length === 0) return value;
  return change(document, path, context, (container, step) => {
    checkSize(sizeOf(container) + 1, context);
    if (isArray(container)) return container.toSpliced(indexIn(container, step, container.length), 0, value);
    if (isObject(container)) {
      const result = new RegoObject(container);
      result.set(step, value);
      return result;
    }
    if (!equal(step, value)) throw new PatchFailure('a member of a set is its own key');
    return added(container, value);
  });
};

const remove = (document: Value, path: Path, context: BuiltinContext): Value =>
  change(document, path, context, (container, step) => {
    context.spend(sizeOf(container));
    childOf(container, step);
    if (isArray(container)) return container.toSpliced(indexIn(container, step, container.length - 1), 1);
    if (!isObject(container)) return without(container, step);
    const result = new RegoObject();
    for (const [key, member] of container) if (!equal(key, step)) result.set(key, member);
    return result;
  });

const replace = (document: Value, path: Path, value: Value, context: BuiltinContext): Value => {
  if (path.length === 0) return value;
  return change(document, path, context, (container, step) => {
    context.spend(sizeOf(container));
    childOf(container, step);
    if (isSet(container) && !equal(step, value)) throw new PatchFailure('a member of a set is its own key');
    return withChild(container, step, value);
  });
};

const without = (set: Value, member: Value): Value => {
  if (!isSet(set)) throw new PatchFailure('not a collection');
  return new RegoSet([...set.values()].filter((other) => !equal(other, member)));
};

const added = (set: Value, member: Value): Value => {
  if (!isSet(set)) throw new PatchFailure('not a collection');
  return new RegoSet([...set.values(), member]);
};

const sizeOf = (value: Value): number => {
  if (isArray(value)) return value.length;
  return isObject(value) || isSet(value) ? value.size : 0;
};

/** A step as the index of an array; `-` is behind the end (RFC 6901, section 4). */
const indexIn = (array: readonly Value[], step: Value, most: number): number => {
  let index = Number.NaN;
  if (typeof step === 'number') index = step;
  else if (step === '-') index = array.length;
  else if (typeof step === 'string' && /^(0|[1-9]\d*)$/.test(step)) index = Number(step);
  if (!Number.isInteger(index) || index < 0 || index > most) throw new PatchFailure('no such index');
  return index;
};
