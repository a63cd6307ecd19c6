import {
  type ArgumentDefinition,
  type FieldNode,
  type FragmentSpread,
  GraphqlError,
  type InlineFragment,
  namedTypeOf,
  type TypeNode,
  typeText,
} from './ast.ts';
import { possibleTypes, type Schema } from './schema.ts';
import type { Validation } from './validate.ts';

/** What a selected field is, as far as the rules below it need to know. */
export interface FieldFacts {
  readonly type: TypeNode;
  readonly typeName: string;
  readonly declared: readonly ArgumentDefinition[];
}

const required = (NamedType: string): TypeNode => ({ NamedType, NonNull: true });

const NAME_ARGUMENT: ArgumentDefinition = { Description: '', Name: 'name', Type: required('String') };

/** Fields that every schema has: `__typename` anywhere, the others at the beginning of a query (section 4). */
const metaField = (name: string, parent: string, schema: Schema): FieldFacts | undefined => {
  if (name === '__typename') return { type: required('String'), typeName: 'String', declared: [] };
  if (schema.roots.get('query')?.Name !== parent) return undefined;
  if (name === '__schema') return { type: required('__Schema'), typeName: '__Schema', declared: [] };
  if (name !== '__type') return undefined;
  return { type: { NamedType: '__Type', NonNull: false }, typeName: '__Type', declared: [NAME_ARGUMENT] };
};

/** The declaration of a field of a type; undefined when it has none of that name. */
export const factsOf = (name: string, parent: string, schema: Schema): FieldFacts | undefined => {
  const field = schema.types.get(parent)?.Fields?.find((candidate) => candidate.Name === name);
  if (field === undefined) return metaField(name, parent, schema);
  return { type: field.Type, typeName: namedTypeOf(field.Type), declared: field.Arguments ?? [] };
};

/** Fields exist, and have selections exactly where their type has fields (sections 5.3.1 and 5.3.3). */
export const checkField = (field: FieldNode, parent: string, { schema }: Validation): FieldFacts => {
  const facts = factsOf(field.Name, parent, schema);
  if (facts === undefined) {
    throw new GraphqlError(`Cannot query field "${field.Name}" on type "${parent}".`, field.Position);
  }
  const isLeaf = ['SCALAR', 'ENUM'].includes(schema.types.get(facts.typeName)?.Kind ?? 'SCALAR');
  const selects = (field.SelectionSet ?? []).length > 0;
  if (isLeaf && selects) {
    throw new GraphqlError(
      `Field "${field.Name}" must not have a selection since type "${facts.typeName}" has no subfields.`,
      field.Position,
    );
  }
  if (!isLeaf && !selects) {
    throw new GraphqlError(
      `Field "${field.Name}" of type "${typeText(facts.type)}" must have a selection of subfields.`,
      field.Position,
    );
  }
  return facts;
};

/** A fragment exists and can be of the type it is spread in (sections 5.5.2.1 and 5.5.2.3). */
export const checkSpread = (
  spread: FragmentSpread,
  parent: string,
  { schema, fragments }: Validation,
): void => {
  const fragment = fragments.get(spread.Name);
  if (fragment === undefined) throw new GraphqlError(`Unknown fragment "${spread.Name}".`, spread.Position);
  if (!schema.types.has(fragment.TypeCondition)) return;
  if (canBeBoth(parent, fragment.TypeCondition, schema)) return;
  throw new GraphqlError(
    `Fragment "${spread.Name}" cannot be spread here as objects of type "${parent}" can never be of type "${fragment.TypeCondition}".`,
    spread.Position,
  );
};

/** As `checkSpread` for a fragment without a name. Returns the type that its selections are of. */
export const checkInlineFragment = (
  fragment: InlineFragment,
  parent: string,
  { schema }: Validation,
): string => {
  const condition = fragment.TypeCondition;
  if (condition === '') return parent;
  const type = schema.types.get(condition);
  if (type === undefined) throw new GraphqlError(`Unknown type "${condition}".`, fragment.Position);
  if (!['OBJECT', 'INTERFACE', 'UNION'].includes(type.Kind)) {
    throw new GraphqlError(
      `Fragment cannot condition on non composite type "${condition}".`,
      fragment.Position,
    );
  }
  if (!canBeBoth(parent, condition, schema)) {
    throw new GraphqlError(
      `Fragment cannot be spread here as objects of type "${parent}" can never be of type "${condition}".`,
      fragment.Position,
    );
  }
  return condition;
};

const canBeBoth = (a: string, b: string, schema: Schema): boolean => {
  if (a === b) return true;
  const others = possibleTypes(schema, b);
  return [...possibleTypes(schema, a)].some((name) => others.has(name));
};
