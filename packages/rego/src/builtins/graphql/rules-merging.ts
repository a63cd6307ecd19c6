import {
  type ArgumentNode,
  type FieldNode,
  GraphqlError,
  isField,
  isSpread,
  type Selection,
  type TypeNode,
  typeText,
  type ValueNode,
} from './ast.ts';
import { factsOf } from './rules-fields.ts';
import type { Schema } from './schema.ts';
import type { Validation } from './validate.ts';

interface Found {
  readonly field: FieldNode;
  readonly parent: string;
}

/** Fields that would answer under the same name must be the same (section 5.3.2). */
export const checkMerging = (
  selections: readonly Selection[] | undefined,
  parent: string,
  validation: Validation,
): void => mergeAll(collect(selections, parent, validation), validation);

/** All fields by the name they answer under, those of fragments included. */
const collect = (
  selections: readonly Selection[] | undefined,
  parent: string,
  validation: Validation,
  into = new Map<string, Found[]>(),
  visited = new Set<string>(),
): Map<string, Found[]> => {
  for (const selection of selections ?? []) {
    validation.spend(1);
    if (isField(selection)) {
      const list = into.get(selection.Alias);
      if (list === undefined) into.set(selection.Alias, [{ field: selection, parent }]);
      else list.push({ field: selection, parent });
    } else if (isSpread(selection)) {
      const fragment = validation.fragments.get(selection.Name);
      if (fragment === undefined || visited.has(selection.Name)) continue;
      visited.add(selection.Name);
      collect(fragment.SelectionSet, fragment.TypeCondition, validation, into, visited);
    } else collect(selection.SelectionSet, selection.TypeCondition || parent, validation, into, visited);
  }
  return into;
};

const mergeAll = (groups: ReadonlyMap<string, readonly Found[]>, validation: Validation): void => {
  for (const [alias, group] of groups) {
    const [first, ...others] = group;
    for (const other of others) checkPair(alias, first!, other, validation);
    mergeBelow(group, validation);
  }
};

/** The selections of fields of the same name are merged as one. */
const mergeBelow = (group: readonly Found[], validation: Validation): void => {
  const below = new Map<string, Found[]>();
  const visited = new Set<string>();
  for (const { field, parent } of group) {
    const type = factsOf(field.Name, parent, validation.schema)?.typeName;
    if (type !== undefined) collect(field.SelectionSet, type, validation, below, visited);
  }
  if (below.size > 0) mergeAll(below, validation);
};

const checkPair = (alias: string, a: Found, b: Found, { schema }: Validation): void => {
  const conflict = (reason: string): GraphqlError =>
    new GraphqlError(
      `Fields "${alias}" conflict because ${reason}. Use different aliases on the fields to fetch both if this was intentional.`,
      b.field.Position,
    );
  const [left, right] = [a, b].map(({ field, parent }) => factsOf(field.Name, parent, schema)?.type);
  if (left !== undefined && right !== undefined && !sameShape(left, right, schema)) {
    throw conflict(`they return conflicting types "${typeText(left)}" and "${typeText(right)}"`);
  }
  // Two different object types are never answered at once.
  const exclusive =
    a.parent !== b.parent && [a, b].every(({ parent }) => schema.types.get(parent)?.Kind === 'OBJECT');
  if (exclusive) return;
  if (a.field.Name !== b.field.Name)
    throw conflict(`"${a.field.Name}" and "${b.field.Name}" are different fields`);
  if (argumentsText(a.field.Arguments) !== argumentsText(b.field.Arguments))
    throw conflict('they have differing arguments');
};

/** Types of the same lists; what has fields may be of different types, its fields are compared in turn. */
const sameShape = (a: TypeNode, b: TypeNode, schema: Schema): boolean => {
  if (a.NonNull !== b.NonNull) return false;
  if (a.Elem !== undefined && b.Elem !== undefined) return sameShape(a.Elem, b.Elem, schema);
  if (a.Elem !== b.Elem) return false;
  const areLeaves = [a, b].some(({ NamedType }) =>
    ['SCALAR', 'ENUM'].includes(schema.types.get(NamedType)?.Kind ?? ''),
  );
  return !areLeaves || a.NamedType === b.NamedType;
};

const argumentsText = (given: readonly ArgumentNode[] | undefined): string =>
  (given ?? [])
    .map(({ Name, Value }) => `${Name}:${valueText(Value)}`)
    .sort()
    .join();

const valueText = ({ Kind, Raw, Children = [] }: ValueNode): string =>
  `${Kind}${JSON.stringify(Raw)}(${Children.map(({ Name, Value }) => `${Name}:${valueText(Value)}`).join()})`;
