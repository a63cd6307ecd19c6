import {
  type Definition,
  type DefinitionKind,
  type DirectiveDefinition,
  type FieldDefinition,
  GraphqlError,
  namedTypeOf,
  type SchemaDocument,
  type TypeNode,
} from './ast.ts';
import { parseSchemaDocument } from './schema-parser.ts';

/** A schema put together: types and directives by name, and the types that operations begin with. */
export interface Schema {
  readonly types: ReadonlyMap<string, Definition>;
  readonly directives: ReadonlyMap<string, DirectiveDefinition>;
  readonly roots: ReadonlyMap<string, Definition>;
}

/** What every schema has without saying so (GraphQL specification, sections 3.5, 3.13 and 4). */
const PRELUDE = `
scalar Int scalar Float scalar String scalar Boolean scalar ID
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @deprecated(reason: String = "No longer supported")
  on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE | OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @specifiedBy(url: String!) on SCALAR
directive @oneOf on INPUT_OBJECT
type __Schema { description: String types: [__Type!]! queryType: __Type! mutationType: __Type
  subscriptionType: __Type directives: [__Directive!]! }
type __Type { kind: __TypeKind! name: String description: String fields(includeDeprecated: Boolean = false): [__Field!]
  interfaces: [__Type!] possibleTypes: [__Type!] enumValues(includeDeprecated: Boolean = false): [__EnumValue!]
  inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type specifiedByURL: String isOneOf: Boolean }
type __Field { name: String! description: String args(includeDeprecated: Boolean = false): [__InputValue!]!
  type: __Type! isDeprecated: Boolean! deprecationReason: String }
type __InputValue { name: String! description: String type: __Type! defaultValue: String
  isDeprecated: Boolean! deprecationReason: String }
type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
type __Directive { name: String! description: String locations: [__DirectiveLocation!]!
  args(includeDeprecated: Boolean = false): [__InputValue!]! isRepeatable: Boolean! }
enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT
  VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE
  INPUT_OBJECT INPUT_FIELD_DEFINITION }
`;

let parsedPrelude: SchemaDocument | undefined;
const prelude = (): SchemaDocument => {
  parsedPrelude ??= parseSchemaDocument(PRELUDE, () => {});
  return parsedPrelude;
};

const BUILT_IN_PREFIX = '__';

/** Puts a schema together and checks it. Throws a GraphqlError. */
export const buildSchema = (document: SchemaDocument): Schema => {
  const types = collectTypes(document);
  const directives = collectDirectives(document);
  const schema: Schema = { types, directives, roots: collectRoots(document, types) };
  for (const definition of types.values()) if (!isBuiltIn(definition)) checkDefinition(definition, schema);
  for (const directive of document.Directives ?? []) checkDirectiveDefinition(directive, schema);
  for (const each of [...(document.Schema ?? []), ...(document.SchemaExtension ?? [])]) {
    checkDirectives(each.Directives, 'SCHEMA', schema);
  }
  return schema;
};

const isBuiltIn = (definition: Definition): boolean => (prelude().Definitions ?? []).includes(definition);

const collectTypes = (document: SchemaDocument): Map<string, Definition> => {
  const types = new Map((prelude().Definitions ?? []).map((definition) => [definition.Name, definition]));
  for (const definition of document.Definitions ?? []) {
    if (types.has(definition.Name))
      throw new GraphqlError(`Cannot redeclare type ${definition.Name}.`, definition.Position);
    types.set(definition.Name, definition);
  }
  // What extends a type that is not there is that type.
  for (const extension of document.Extensions ?? []) {
    const base = types.get(extension.Name);
    types.set(extension.Name, base === undefined ? extension : extended(base, extension));
  }
  return types;
};

const extended = (base: Definition, extension: Definition): Definition => {
  if (base.Kind !== extension.Kind) {
    throw new GraphqlError(
      `Cannot extend type ${extension.Name} because the base type is a ${base.Kind}, not ${extension.Kind}.`,
      extension.Position,
    );
  }
  const joined = <Item>(a: readonly Item[] = [], b: readonly Item[] = []): Item[] => [...a, ...b];
  return {
    ...base,
    Directives: joined(base.Directives, extension.Directives),
    Interfaces: joined(base.Interfaces, extension.Interfaces),
    Fields: joined(base.Fields, extension.Fields),
    Types: joined(base.Types, extension.Types),
    EnumValues: joined(base.EnumValues, extension.EnumValues),
  };
};

const collectDirectives = (document: SchemaDocument): Map<string, DirectiveDefinition> => {
  const predefined = new Map((prelude().Directives ?? []).map((directive) => [directive.Name, directive]));
  const directives = new Map(predefined);
  for (const directive of document.Directives ?? []) {
    // Those that every schema has may be written down again.
    if (directives.has(directive.Name) && directives.get(directive.Name) !== predefined.get(directive.Name)) {
      throw new GraphqlError(`Cannot redeclare directive ${directive.Name}.`, directive.Position);
    }
    directives.set(directive.Name, directive);
  }
  return directives;
};

const ROOT_NAMES: Readonly<Record<string, string>> = {
  query: 'Query',
  mutation: 'Mutation',
  subscription: 'Subscription',
};

const collectRoots = (
  document: SchemaDocument,
  types: ReadonlyMap<string, Definition>,
): Map<string, Definition> => {
  const [schema, second] = document.Schema ?? [];
  if (second !== undefined) {
    throw new GraphqlError(
      'Cannot have multiple schema entry points, consider schema extensions instead.',
      second.Position,
    );
  }
  const roots = new Map<string, Definition>();
  for (const part of [...(schema === undefined ? [] : [schema]), ...(document.SchemaExtension ?? [])]) {
    for (const { Operation, Type, Position } of part.OperationTypes ?? []) {
      const definition = types.get(Type);
      if (definition === undefined) {
        throw new GraphqlError(
          `Schema root ${Operation} refers to a type ${Type} that does not exist.`,
          Position,
        );
      }
      roots.set(Operation, definition);
    }
  }
  if (schema !== undefined) return roots;
  for (const [operation, name] of Object.entries(ROOT_NAMES)) {
    const definition = types.get(name);
    if (definition !== undefined && !roots.has(operation)) roots.set(operation, definition);
  }
  return roots;
};

const INPUT_KINDS: readonly DefinitionKind[] = ['SCALAR', 'ENUM', 'INPUT_OBJECT'];
const OUTPUT_KINDS: readonly DefinitionKind[] = ['SCALAR', 'OBJECT', 'INTERFACE', 'UNION', 'ENUM'];

const checkDefinition = (definition: Definition, schema: Schema): void => {
  const { Kind, Name, Position } = definition;
  checkName(Name, Position);
  checkDirectives(definition.Directives, Kind, schema);
  const fail = (message: string): never => {
    throw new GraphqlError(message, Position);
  };
  switch (Kind) {
    case 'SCALAR':
      return;
    case 'OBJECT':
    case 'INTERFACE':
      if ((definition.Fields ?? []).length === 0) fail(`${Kind} ${Name}: must define one or more fields.`);
      checkFields(definition, OUTPUT_KINDS, schema);
      for (const name of definition.Interfaces ?? []) checkImplements(definition, name, schema);
      return;
    case 'INPUT_OBJECT':
      if ((definition.Fields ?? []).length === 0)
        fail(`${Kind} ${Name}: must define one or more input fields.`);
      checkFields(definition, INPUT_KINDS, schema);
      return;
    case 'ENUM':
      if ((definition.EnumValues ?? []).length === 0)
        fail(`${Kind} ${Name}: must define one or more unique enum values.`);
      checkEnumValues(definition, schema);
      return;
    case 'UNION':
      for (const member of definition.Types ?? []) {
        const type = schema.types.get(member);
        if (type === undefined) fail(`Undefined type "${member}".`);
        else if (type.Kind !== 'OBJECT') fail(`UNION type "${member}" must be OBJECT.`);
      }
      return;
    default: {
      const never: never = Kind;
      throw never;
    }
  }
};

const checkName = (name: string, position: Definition['Position']): void => {
  if (name.startsWith(BUILT_IN_PREFIX)) {
    throw new GraphqlError(
      `Name "${name}" must not begin with "__", which is reserved by GraphQL introspection.`,
      position,
    );
  }
};

const checkFields = (definition: Definition, kinds: readonly DefinitionKind[], schema: Schema): void => {
  const seen = new Set<string>();
  const location = definition.Kind === 'INPUT_OBJECT' ? 'INPUT_FIELD_DEFINITION' : 'FIELD_DEFINITION';
  for (const field of definition.Fields ?? []) {
    if (seen.has(field.Name))
      throw new GraphqlError(
        `Field ${definition.Name}.${field.Name} can only be defined once.`,
        field.Position,
      );
    seen.add(field.Name);
    checkName(field.Name, field.Position);
    checkType(field.Type, kinds, definition.Kind, schema);
    checkArguments(field, schema);
    checkDirectives(field.Directives, location, schema);
  }
};

const checkArguments = (field: Pick<FieldDefinition, 'Arguments'>, schema: Schema): void => {
  for (const argument of field.Arguments ?? []) {
    checkName(argument.Name, argument.Position);
    checkType(argument.Type, INPUT_KINDS, 'ARGUMENT', schema);
    checkDirectives(argument.Directives, 'ARGUMENT_DEFINITION', schema);
  }
};

const checkType = (type: TypeNode, kinds: readonly DefinitionKind[], where: string, schema: Schema): void => {
  const definition = schema.types.get(namedTypeOf(type));
  if (definition === undefined) throw new GraphqlError(`Undefined type ${namedTypeOf(type)}.`, type.Position);
  if (!kinds.includes(definition.Kind)) {
    throw new GraphqlError(`${where} field must be one of ${kinds.join(', ')}.`, type.Position);
  }
};

const checkEnumValues = (definition: Definition, schema: Schema): void => {
  for (const value of definition.EnumValues ?? []) {
    if (['true', 'false', 'null'].includes(value.Name)) {
      throw new GraphqlError(`ENUM ${definition.Name}: non-enum value ${value.Name}.`, value.Position);
    }
    checkDirectives(value.Directives, 'ENUM_VALUE', schema);
  }
};

const checkDirectives = (directives: Definition['Directives'], location: string, schema: Schema): void => {
  for (const { Name, Arguments, Position } of directives ?? []) {
    const definition = schema.directives.get(Name);
    if (definition === undefined) throw new GraphqlError(`Undefined directive ${Name}.`, Position);
    if (!(definition.Locations ?? []).includes(location)) {
      throw new GraphqlError(`Directive ${Name} is not applicable on ${location}.`, Position);
    }
    for (const argument of Arguments ?? []) {
      if (definition.Arguments?.some((declared) => declared.Name === argument.Name)) continue;
      throw new GraphqlError(`Undefined argument ${argument.Name} for directive ${Name}.`, argument.Position);
    }
    for (const declared of definition.Arguments ?? []) {
      const needed = declared.Type.NonNull && declared.DefaultValue === undefined;
      if (!needed || Arguments?.some((argument) => argument.Name === declared.Name)) continue;
      throw new GraphqlError(`Argument ${declared.Name} for directive ${Name} cannot be null.`, Position);
    }
  }
};

const checkDirectiveDefinition = (directive: DirectiveDefinition, schema: Schema): void => {
  checkName(directive.Name, directive.Position);
  checkArguments(directive, schema);
};

/** A type has all fields of an interface, with types as narrow (section 3.6.1). */
const checkImplements = (definition: Definition, name: string, schema: Schema): void => {
  const fail = (message: string): GraphqlError => new GraphqlError(message, definition.Position);
  const wanted = schema.types.get(name);
  if (wanted === undefined) throw fail(`Undefined type "${name}".`);
  if (wanted.Kind !== 'INTERFACE') throw fail(`${name} is a non interface type ${wanted.Kind}.`);
  for (const field of wanted.Fields ?? []) {
    const own = definition.Fields?.find((candidate) => candidate.Name === field.Name);
    if (own === undefined)
      throw fail(`For ${definition.Name} to implement ${name} it must have a field called ${field.Name}.`);
    if (!isCovariant(field.Type, own.Type, schema)) {
      throw fail(
        `For ${definition.Name} to implement ${name} the field ${field.Name} must have type ${namedTypeOf(field.Type)}.`,
      );
    }
    for (const argument of field.Arguments ?? []) {
      if (own.Arguments?.some((candidate) => candidate.Name === argument.Name)) continue;
      throw fail(
        `For ${definition.Name} to implement ${name} the field ${field.Name} must have the same arguments but it is missing ${argument.Name}.`,
      );
    }
  }
  for (const parent of wanted.Interfaces ?? []) {
    if (!(definition.Interfaces ?? []).includes(parent))
      throw fail(`Type ${definition.Name} must implement ${parent} because it is implemented by ${name}.`);
  }
};

const isCovariant = (wanted: TypeNode, actual: TypeNode, schema: Schema): boolean => {
  if (wanted.NonNull && !actual.NonNull) return false;
  if (wanted.Elem !== undefined)
    return actual.Elem !== undefined && isCovariant(wanted.Elem, actual.Elem, schema);
  if (actual.Elem !== undefined) return false;
  return (
    possibleTypes(schema, wanted.NamedType).has(actual.NamedType) ||
    wanted.NamedType === actual.NamedType ||
    isImplementedBy(schema, wanted.NamedType, actual.NamedType)
  );
};

const isImplementedBy = (schema: Schema, wanted: string, actual: string): boolean =>
  (schema.types.get(actual)?.Interfaces ?? []).includes(wanted);

/** The object types that a value of a type can be. */
export const possibleTypes = ({ types }: Schema, name: string): Set<string> => {
  const definition = types.get(name);
  if (definition?.Kind === 'UNION') return new Set(definition.Types);
  if (definition?.Kind !== 'INTERFACE') return new Set([name]);
  const found = new Set<string>();
  for (const type of types.values()) {
    if (type.Kind === 'OBJECT' && (type.Interfaces ?? []).includes(name)) found.add(type.Name);
  }
  return found;
};
