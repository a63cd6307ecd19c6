import {
  type ArgumentDefinition,
  type ArgumentNode,
  type DirectiveNode,
  GraphqlError,
  isField,
  isSpread,
  namedTypeOf,
  type Operation,
  type Selection,
  type TypeNode,
  typeText,
  VALUE_KIND,
  type ValueNode,
  type VariableDefinition,
} from './ast.ts';
import { factsOf } from './rules-fields.ts';
import { checkDirectiveUses, checkValue, isInputType } from './rules-values.ts';
import type { Validation } from './validate.ts';

/** Variables are declared once, with types that can be given (sections 5.8.1 and 5.8.2). */
export const checkVariableDefinitions = (operation: Operation, validation: Validation): void => {
  const seen = new Set<string>();
  for (const variable of operation.VariableDefinitions ?? []) {
    const { Variable, Type, DefaultValue, Position } = variable;
    if (seen.has(Variable))
      throw new GraphqlError(`There can be only one variable named "$${Variable}".`, Position);
    seen.add(Variable);
    const name = namedTypeOf(Type);
    if (!validation.schema.types.has(name)) throw new GraphqlError(`Unknown type "${name}".`, Position);
    if (!isInputType(name, validation.schema)) {
      throw new GraphqlError(
        `Variable "$${Variable}" cannot be non-input type "${typeText(Type)}".`,
        Position,
      );
    }
    if (DefaultValue !== undefined) checkValue(DefaultValue, Type, validation);
    checkDirectiveUses(variable.Directives, 'VARIABLE_DEFINITION', validation);
  }
};

/** Variables that are used are declared, fit where they are used, and none is left over (sections 5.8.3 to 5.8.5). */
export const checkOperationVariables = (operation: Operation, root: string, validation: Validation): void => {
  const collector = new UseCollector(operation, validation);
  collector.directives(operation.Directives);
  collector.selections(operation.SelectionSet, root);
  for (const { Variable, Position } of operation.VariableDefinitions ?? []) {
    if (collector.used.has(Variable)) continue;
    const where = operation.Name === '' ? '' : ` in operation "${operation.Name}"`;
    throw new GraphqlError(`Variable "$${Variable}" is never used${where}.`, Position);
  }
};

class UseCollector {
  readonly used = new Set<string>();
  readonly #operation: Operation;
  readonly #validation: Validation;
  readonly #declared: ReadonlyMap<string, VariableDefinition>;
  readonly #visited = new Set<string>();

  constructor(operation: Operation, validation: Validation) {
    this.#operation = operation;
    this.#validation = validation;
    this.#declared = new Map((operation.VariableDefinitions ?? []).map((each) => [each.Variable, each]));
  }

  selections(selections: readonly Selection[] | undefined, parent: string): void {
    for (const selection of selections ?? []) {
      this.#validation.spend(1);
      this.directives(selection.Directives);
      if (isField(selection)) {
        const facts = factsOf(selection.Name, parent, this.#validation.schema);
        this.#arguments(selection.Arguments, facts?.declared ?? []);
        this.selections(selection.SelectionSet, facts?.typeName ?? '');
      } else if (isSpread(selection)) this.#fragment(selection.Name);
      else this.selections(selection.SelectionSet, selection.TypeCondition || parent);
    }
  }

  directives(directives: readonly DirectiveNode[] | undefined): void {
    for (const { Name, Arguments } of directives ?? []) {
      this.#arguments(Arguments, this.#validation.schema.directives.get(Name)?.Arguments ?? []);
    }
  }

  #fragment(name: string): void {
    const fragment = this.#validation.fragments.get(name);
    if (fragment === undefined || this.#visited.has(name)) return;
    this.#visited.add(name);
    this.directives(fragment.Directives);
    this.selections(fragment.SelectionSet, fragment.TypeCondition);
  }

  #arguments(given: readonly ArgumentNode[] | undefined, declared: readonly ArgumentDefinition[]): void {
    for (const { Name, Value } of given ?? []) {
      const argument = declared.find((candidate) => candidate.Name === Name);
      this.#value(Value, argument?.Type, argument?.DefaultValue !== undefined);
    }
  }

  #value(value: ValueNode, type: TypeNode | undefined, hasDefault: boolean): void {
    if (value.Kind === VALUE_KIND.variable) {
      this.#use(value, type, hasDefault);
      return;
    }
    const fields = type === undefined ? undefined : this.#validation.schema.types.get(type.NamedType)?.Fields;
    for (const { Name, Value } of value.Children ?? []) {
      const field = fields?.find((candidate) => candidate.Name === Name);
      const inner = value.Kind === VALUE_KIND.list ? type?.Elem : field?.Type;
      this.#value(Value, inner, field?.DefaultValue !== undefined);
    }
  }

  #use(value: ValueNode, type: TypeNode | undefined, hasDefault: boolean): void {
    const variable = this.#declared.get(value.Raw);
    if (variable === undefined) {
      const where = this.#operation.Name === '' ? '' : ` by operation "${this.#operation.Name}"`;
      throw new GraphqlError(`Variable "$${value.Raw}" is not defined${where}.`, value.Position);
    }
    this.used.add(value.Raw);
    if (type === undefined || fits(variable, type, hasDefault)) return;
    throw new GraphqlError(
      `Variable "$${value.Raw}" of type "${typeText(variable.Type)}" used in position expecting type "${typeText(type)}".`,
      value.Position,
    );
  }
}

/** What may be null can stand where null may not, when one of both has a default (section 5.8.5). */
const fits = ({ Type, DefaultValue }: VariableDefinition, wanted: TypeNode, hasDefault: boolean): boolean => {
  if (!wanted.NonNull || Type.NonNull) return isSubtype(Type, wanted);
  const defaulted = DefaultValue !== undefined && DefaultValue.Kind !== VALUE_KIND.null;
  return (defaulted || hasDefault) && isSubtype(Type, { ...wanted, NonNull: false });
};

const isSubtype = (type: TypeNode, wanted: TypeNode): boolean => {
  if (wanted.NonNull && !type.NonNull) return false;
  if (wanted.Elem !== undefined) return type.Elem !== undefined && isSubtype(type.Elem, wanted.Elem);
  return type.Elem === undefined && type.NamedType === wanted.NamedType;
};
