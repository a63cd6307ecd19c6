import {
  type ArgumentDefinition,
  type ArgumentNode,
  type Definition,
  type DirectiveNode,
  GraphqlError,
  type TypeNode,
  typeText,
  VALUE_KIND,
  type ValueNode,
} from './ast.ts';
import type { FieldFacts } from './rules-fields.ts';
import type { Schema } from './schema.ts';
import type { Validation } from './validate.ts';

/** Whose arguments are looked at, for the error. */
interface Owner {
  readonly owner: string;
  readonly kind: 'field' | 'directive';
}

/** Arguments are known, there once, of the right type, and not left out (sections 5.4 and 5.6). */
export const checkArgumentValues = (
  node: { readonly Arguments?: readonly ArgumentNode[]; readonly Position?: ArgumentNode['Position'] },
  facts: Pick<FieldFacts, 'declared'>,
  owner: Owner,
  validation: Validation,
): void => {
  const seen = new Set<string>();
  for (const { Name, Value, Position } of node.Arguments ?? []) {
    const declared = facts.declared.find((candidate) => candidate.Name === Name);
    if (declared === undefined)
      throw new GraphqlError(`Unknown argument "${Name}" on ${owner.kind} "${owner.owner}".`, Position);
    if (seen.has(Name)) throw new GraphqlError(`There can be only one argument named "${Name}".`, Position);
    seen.add(Name);
    checkValue(Value, declared.Type, validation);
  }
  for (const declared of facts.declared) {
    if (!isRequired(declared) || isGiven(declared.Name, node.Arguments)) continue;
    const subject =
      owner.kind === 'field' ? `Field "${owner.owner.split('.').at(-1)}"` : `Directive "${owner.owner}"`;
    throw new GraphqlError(
      `${subject} argument "${declared.Name}" of type "${typeText(declared.Type)}" is required, but it was not provided.`,
      node.Position,
    );
  }
};

const isRequired = ({ Type, DefaultValue }: ArgumentDefinition): boolean =>
  Type.NonNull && DefaultValue === undefined;

const isGiven = (name: string, given: readonly ArgumentNode[] | undefined): boolean =>
  given?.some((argument) => argument.Name === name) ?? false;

/** Directives are known, where they may be, and there once unless they are repeatable (section 5.7). */
export const checkDirectiveUses = (
  directives: readonly DirectiveNode[] | undefined,
  location: string,
  validation: Validation,
): void => {
  const seen = new Set<string>();
  for (const directive of directives ?? []) {
    const { Name, Position } = directive;
    const definition = validation.schema.directives.get(Name);
    if (definition === undefined) throw new GraphqlError(`Unknown directive "@${Name}".`, Position);
    if (!(definition.Locations ?? []).includes(location)) {
      throw new GraphqlError(`Directive "@${Name}" may not be used on ${location}.`, Position);
    }
    if (seen.has(Name) && !definition.IsRepeatable) {
      throw new GraphqlError(`The directive "@${Name}" can only be used once at this location.`, Position);
    }
    seen.add(Name);
    checkArgumentValues(
      directive,
      { declared: definition.Arguments ?? [] },
      { owner: `@${Name}`, kind: 'directive' },
      validation,
    );
  }
};

/** A literal is of a type (section 5.6.1); variables are looked at where they are declared. */
export const checkValue = (value: ValueNode, type: TypeNode, validation: Validation): void => {
  validation.spend(1);
  if (value.Kind === VALUE_KIND.variable) return;
  if (value.Kind === VALUE_KIND.null) {
    if (!type.NonNull) return;
    throw new GraphqlError(`Expected value of type "${typeText(type)}", found null.`, value.Position);
  }
  if (type.Elem !== undefined) {
    const elements =
      value.Kind === VALUE_KIND.list ? (value.Children ?? []).map(({ Value }) => Value) : [value];
    for (const element of elements) checkValue(element, type.Elem, validation);
    return;
  }
  const definition = validation.schema.types.get(type.NamedType);
  if (definition !== undefined) checkNamedValue(value, definition, validation);
};

const checkNamedValue = (value: ValueNode, definition: Definition, validation: Validation): void => {
  switch (definition.Kind) {
    case 'SCALAR':
      checkScalar(value, definition.Name);
      return;
    case 'ENUM':
      checkEnum(value, definition);
      return;
    case 'INPUT_OBJECT':
      checkInputObject(value, definition, validation);
      return;
    default:
      throw new GraphqlError(
        `Expected value of type "${definition.Name}", found ${shown(value)}.`,
        value.Position,
      );
  }
};

const { int, float, string, block, boolean } = VALUE_KIND;

/** What literals the scalars that every schema has are written as (section 3.5). */
const SCALARS: Readonly<Record<string, { readonly kinds: readonly number[]; readonly complaint: string }>> = {
  Int: { kinds: [int], complaint: 'Int cannot represent non-integer value' },
  Float: { kinds: [int, float], complaint: 'Float cannot represent non numeric value' },
  String: { kinds: [string, block], complaint: 'String cannot represent a non string value' },
  Boolean: { kinds: [boolean], complaint: 'Boolean cannot represent a non boolean value' },
  ID: { kinds: [int, string, block], complaint: 'ID cannot represent a non-string and non-integer value' },
};

const checkScalar = (value: ValueNode, name: string): void => {
  const scalar = Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined;
  // Schemas' own scalars are whatever they say they are.
  if (scalar === undefined || scalar.kinds.includes(value.Kind)) return;
  throw new GraphqlError(`${scalar.complaint}: ${shown(value)}`, value.Position);
};

const checkEnum = (value: ValueNode, definition: Definition): void => {
  if (value.Kind !== VALUE_KIND.enum) {
    throw new GraphqlError(
      `Enum "${definition.Name}" cannot represent non-enum value: ${shown(value)}.`,
      value.Position,
    );
  }
  if (definition.EnumValues?.some(({ Name }) => Name === value.Raw)) return;
  throw new GraphqlError(`Value "${value.Raw}" does not exist in "${definition.Name}" enum.`, value.Position);
};

const checkInputObject = (value: ValueNode, definition: Definition, validation: Validation): void => {
  if (value.Kind !== VALUE_KIND.object) {
    throw new GraphqlError(
      `Expected value of type "${definition.Name}", found ${shown(value)}.`,
      value.Position,
    );
  }
  const seen = new Set<string>();
  for (const { Name, Value, Position } of value.Children ?? []) {
    const field = definition.Fields?.find((candidate) => candidate.Name === Name);
    if (field === undefined)
      throw new GraphqlError(`Field "${Name}" is not defined by type "${definition.Name}".`, Position);
    if (seen.has(Name))
      throw new GraphqlError(`There can be only one input field named "${Name}".`, Position);
    seen.add(Name);
    checkValue(Value, field.Type, validation);
  }
  for (const field of definition.Fields ?? []) {
    if (!isRequired(field) || seen.has(field.Name)) continue;
    throw new GraphqlError(
      `Field "${definition.Name}.${field.Name}" of required type "${typeText(field.Type)}" was not provided.`,
      value.Position,
    );
  }
};

const shown = ({ Kind, Raw, Children = [] }: ValueNode): string => {
  switch (Kind) {
    case VALUE_KIND.string:
    case VALUE_KIND.block:
      return JSON.stringify(Raw);
    case VALUE_KIND.list:
      return `[${Children.map(({ Value }) => shown(Value)).join(',')}]`;
    case VALUE_KIND.object:
      return `{${Children.map(({ Name, Value }) => `${Name}:${shown(Value)}`).join(',')}}`;
    default:
      return Raw;
  }
};

/** Whether a type can be given as an argument. */
export const isInputType = (name: string, schema: Schema): boolean =>
  ['SCALAR', 'ENUM', 'INPUT_OBJECT'].includes(schema.types.get(name)?.Kind ?? '');
