/** Nodes with the names and shapes that gqlparser gives them, so that they can be handed out as they are. */

/** Where a node begins; not shown to policies. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

interface Node {
  readonly Position?: Position;
}

/** gqlparser's numbers of the kinds of values. */
export const VALUE_KIND = {
  variable: 0,
  int: 1,
  float: 2,
  string: 3,
  block: 4,
  boolean: 5,
  null: 6,
  enum: 7,
  list: 8,
  object: 9,
} as const;

export interface ValueNode extends Node {
  readonly Raw: string;
  readonly Kind: number;
  readonly Children?: readonly ChildValue[];
  readonly ExpectedTypeHasDefault: boolean;
}

export interface ChildValue extends Node {
  readonly Name: string;
  readonly Value: ValueNode;
}

export interface TypeNode extends Node {
  readonly NamedType: string;
  readonly Elem?: TypeNode;
  readonly NonNull: boolean;
}

export interface ArgumentNode extends Node {
  readonly Name: string;
  readonly Value: ValueNode;
}

export interface DirectiveNode extends Node {
  readonly Name: string;
  readonly Arguments?: readonly ArgumentNode[];
  readonly Location: string;
}

export interface VariableDefinition extends Node {
  readonly Variable: string;
  readonly Type: TypeNode;
  readonly DefaultValue?: ValueNode;
  readonly Directives?: readonly DirectiveNode[];
  readonly Used: boolean;
}

export interface FieldNode extends Node {
  readonly Alias: string;
  readonly Name: string;
  readonly Arguments?: readonly ArgumentNode[];
  readonly Directives?: readonly DirectiveNode[];
  readonly SelectionSet?: readonly Selection[];
}

export interface FragmentSpread extends Node {
  readonly Name: string;
  readonly Directives?: readonly DirectiveNode[];
}

export interface InlineFragment extends Node {
  readonly TypeCondition: string;
  readonly Directives?: readonly DirectiveNode[];
  readonly SelectionSet?: readonly Selection[];
}

export type Selection = FieldNode | FragmentSpread | InlineFragment;

export const isField = (selection: Selection): selection is FieldNode => 'Alias' in selection;
export const isSpread = (selection: Selection): selection is FragmentSpread =>
  'Name' in selection && !('Alias' in selection);

export interface Operation extends Node {
  readonly Operation: string;
  readonly Name: string;
  readonly VariableDefinitions?: readonly VariableDefinition[];
  readonly Directives?: readonly DirectiveNode[];
  readonly SelectionSet?: readonly Selection[];
}

export interface Fragment extends Node {
  readonly Name: string;
  readonly VariableDefinition?: readonly VariableDefinition[];
  readonly TypeCondition: string;
  readonly Directives?: readonly DirectiveNode[];
  readonly SelectionSet?: readonly Selection[];
}

export interface QueryDocument {
  readonly Operations?: readonly Operation[];
  readonly Fragments?: readonly Fragment[];
}

export interface ArgumentDefinition extends Node {
  readonly Description: string;
  readonly Name: string;
  readonly DefaultValue?: ValueNode;
  readonly Type: TypeNode;
  readonly Directives?: readonly DirectiveNode[];
}

export interface FieldDefinition extends ArgumentDefinition {
  readonly Arguments?: readonly ArgumentDefinition[];
}

export interface EnumValue extends Node {
  readonly Description: string;
  readonly Name: string;
  readonly Directives?: readonly DirectiveNode[];
}

export type DefinitionKind = 'SCALAR' | 'OBJECT' | 'INTERFACE' | 'UNION' | 'ENUM' | 'INPUT_OBJECT';

export interface Definition extends Node {
  readonly Kind: DefinitionKind;
  readonly Description: string;
  readonly Name: string;
  readonly Directives?: readonly DirectiveNode[];
  readonly Interfaces?: readonly string[];
  readonly Fields?: readonly FieldDefinition[];
  readonly Types?: readonly string[];
  readonly EnumValues?: readonly EnumValue[];
  readonly BuiltIn: boolean;
}

export interface DirectiveDefinition extends Node {
  readonly Description: string;
  readonly Name: string;
  readonly Arguments?: readonly ArgumentDefinition[];
  readonly Locations?: readonly string[];
  readonly IsRepeatable: boolean;
}

export interface OperationType extends Node {
  readonly Operation: string;
  readonly Type: string;
}

export interface SchemaDefinition extends Node {
  readonly Description: string;
  readonly Directives?: readonly DirectiveNode[];
  readonly OperationTypes?: readonly OperationType[];
}

export interface SchemaDocument {
  readonly Schema?: readonly SchemaDefinition[];
  readonly SchemaExtension?: readonly SchemaDefinition[];
  readonly Directives?: readonly DirectiveDefinition[];
  readonly Definitions?: readonly Definition[];
  readonly Extensions?: readonly Definition[];
}

/** A type as GraphQL writes it: `[Name!]!`. */
export const typeText = (type: TypeNode): string =>
  `${type.Elem === undefined ? type.NamedType : `[${typeText(type.Elem)}]`}${type.NonNull ? '!' : ''}`;

/** The name inside all lists. */
export const namedTypeOf = (type: TypeNode): string =>
  type.Elem === undefined ? type.NamedType : namedTypeOf(type.Elem);

/** What is wrong with a document, and where. */
export class GraphqlError extends Error {
  override readonly name = 'GraphqlError';

  constructor(message: string, position: Position | undefined) {
    const place = position === undefined ? '' : ` at location ${position.line}:${position.column}`;
    super(`${message.replace(/(?<!\.)\.$/, '')} in GraphQL string${place}`);
  }
}
