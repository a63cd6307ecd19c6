import type {
  ArgumentDefinition,
  Definition,
  DefinitionKind,
  DirectiveDefinition,
  EnumValue,
  FieldDefinition,
  OperationType,
  Position,
  SchemaDefinition,
  SchemaDocument,
} from './ast.ts';
import { GraphqlParser } from './parser.ts';

const KINDS: Readonly<Record<string, DefinitionKind>> = {
  scalar: 'SCALAR',
  type: 'OBJECT',
  interface: 'INTERFACE',
  union: 'UNION',
  enum: 'ENUM',
  input: 'INPUT_OBJECT',
};

const LOCATIONS = new Set([
  'QUERY',
  'MUTATION',
  'SUBSCRIPTION',
  'FIELD',
  'FRAGMENT_DEFINITION',
  'FRAGMENT_SPREAD',
  'INLINE_FRAGMENT',
  'VARIABLE_DEFINITION',
  'SCHEMA',
  'SCALAR',
  'OBJECT',
  'FIELD_DEFINITION',
  'ARGUMENT_DEFINITION',
  'INTERFACE',
  'UNION',
  'ENUM',
  'ENUM_VALUE',
  'INPUT_OBJECT',
  'INPUT_FIELD_DEFINITION',
]);

/** Reads a document of type definitions. Throws a GraphqlError. */
export const parseSchemaDocument = (text: string, spend: (steps: number) => void): SchemaDocument =>
  new SchemaParser(text, spend).document();

class SchemaParser extends GraphqlParser {
  document(): SchemaDocument {
    const Schema: SchemaDefinition[] = [];
    const SchemaExtension: SchemaDefinition[] = [];
    const Directives: DirectiveDefinition[] = [];
    const Definitions: Definition[] = [];
    const Extensions: Definition[] = [];
    while (this.token.kind !== '<EOF>') {
      const described = this.token.kind === 'String' || this.token.kind === 'BlockString';
      const description = this.#description();
      if (this.atKeyword('schema')) Schema.push(this.#schema(description));
      else if (this.atKeyword('directive')) Directives.push(this.#directive(description));
      else if (this.atKeyword('extend')) {
        if (described) throw this.unexpected(this.previous);
        this.next();
        if (this.atKeyword('schema')) SchemaExtension.push(this.#schemaExtension());
        else Extensions.push(this.#extension());
      } else Definitions.push(this.#definition(description));
    }
    return { Schema, SchemaExtension, Directives, Definitions, Extensions };
  }

  #description(): string {
    const isText = this.token.kind === 'String' || this.token.kind === 'BlockString';
    return isText ? this.next().text : '';
  }

  #schema(Description: string): SchemaDefinition {
    const Position = this.expectKeyword('schema').position;
    const Directives = this.directives(true);
    return { Description, Directives, OperationTypes: this.#operationTypes(), Position };
  }

  #schemaExtension(): SchemaDefinition {
    const extension = this.#schema('');
    if (isEmpty(extension.Directives) && isEmpty(extension.OperationTypes)) throw this.unexpected();
    return extension;
  }

  #operationTypes(): OperationType[] {
    return this.some('{', '}', () => {
      const Position = this.token.position;
      const Operation = this.name();
      if (!['query', 'mutation', 'subscription'].includes(Operation)) throw this.unexpected(this.previous);
      this.expect(':');
      return { Operation, Type: this.name(), Position };
    });
  }

  #extension(): Definition {
    const definition = this.#definition('');
    const { Directives, Interfaces, Fields, Types, EnumValues } = definition;
    if ([Directives, Interfaces, Fields, Types, EnumValues].every(isEmpty)) throw this.unexpected();
    return definition;
  }

  #definition(Description: string): Definition {
    const Position = this.token.position;
    const kind =
      this.token.kind === 'Name' && Object.hasOwn(KINDS, this.token.text)
        ? KINDS[this.token.text]
        : undefined;
    if (kind === undefined) throw this.unexpected();
    this.next();
    const Name = this.name();
    const Interfaces = kind === 'OBJECT' || kind === 'INTERFACE' ? this.#interfaces() : [];
    const common = {
      Kind: kind,
      Description,
      Name,
      Interfaces,
      Directives: this.directives(true),
      BuiltIn: false,
      Position,
    };
    return { ...common, ...this.#body(kind) };
  }

  #body(kind: DefinitionKind): Partial<Definition> {
    switch (kind) {
      case 'SCALAR':
        return {};
      case 'OBJECT':
      case 'INTERFACE':
        return { Fields: this.some('{', '}', () => this.#field()) };
      case 'INPUT_OBJECT':
        return { Fields: this.some('{', '}', () => this.#inputValue()) };
      case 'UNION':
        return { Types: this.#members() };
      case 'ENUM':
        return { EnumValues: this.some('{', '}', () => this.#enumValue()) };
      default: {
        const never: never = kind;
        return never;
      }
    }
  }

  #interfaces(): string[] {
    if (!this.atKeyword('implements')) return [];
    this.next();
    return this.#separated('&');
  }

  #members(): string[] {
    return this.skip('=') ? this.#separated('|') : [];
  }

  /** Names with a mark between them, which may stand before the first as well. */
  #separated(mark: string): string[] {
    this.skip(mark);
    const names = [this.name()];
    while (this.skip(mark)) names.push(this.name());
    return names;
  }

  #field(): FieldDefinition {
    const Position = this.token.position;
    const Description = this.#description();
    const Name = this.name();
    const Arguments = this.some('(', ')', () => this.#inputValue());
    this.expect(':');
    return { Description, Name, Arguments, Type: this.type(), Directives: this.directives(true), Position };
  }

  #inputValue(): ArgumentDefinition {
    const Position = this.token.position;
    const Description = this.#description();
    const Name = this.name();
    this.expect(':');
    const Type = this.type();
    const initial = this.skip('=') ? { DefaultValue: this.value(true) } : {};
    return { Description, Name, Type, ...initial, Directives: this.directives(true), Position };
  }

  #enumValue(): EnumValue {
    const Position = this.token.position;
    return {
      Description: this.#description(),
      Name: this.name(),
      Directives: this.directives(true),
      Position,
    };
  }

  #directive(Description: string): DirectiveDefinition {
    const Position: Position = this.expectKeyword('directive').position;
    this.expect('@');
    const Name = this.name();
    const Arguments = this.some('(', ')', () => this.#inputValue());
    const IsRepeatable = this.atKeyword('repeatable');
    if (IsRepeatable) this.next();
    this.expectKeyword('on');
    return { Description, Name, Arguments, Locations: this.#locations(), IsRepeatable, Position };
  }

  #locations(): string[] {
    this.skip('|');
    const locations: string[] = [];
    do {
      const location = this.name();
      if (!LOCATIONS.has(location)) throw this.unexpected(this.previous);
      locations.push(location);
    } while (this.skip('|'));
    return locations;
  }
}

const isEmpty = (list: readonly unknown[] | undefined): boolean => list === undefined || list.length === 0;
