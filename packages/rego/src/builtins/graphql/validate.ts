import {
  type Fragment,
  GraphqlError,
  isField,
  isSpread,
  type Operation,
  type QueryDocument,
  type Selection,
} from './ast.ts';
import { checkDocument } from './rules-document.ts';
import { checkField, checkInlineFragment, checkSpread } from './rules-fields.ts';
import { checkMerging } from './rules-merging.ts';
import { checkArgumentValues, checkDirectiveUses } from './rules-values.ts';
import { checkOperationVariables, checkVariableDefinitions } from './rules-variables.ts';
import type { Schema } from './schema.ts';

/** What the rules look things up in. */
export interface Validation {
  readonly schema: Schema;
  readonly fragments: ReadonlyMap<string, Fragment>;
  readonly spend: (steps: number) => void;
}

/** Checks a query against a schema (GraphQL specification, section 5). Throws a GraphqlError for the first mistake. */
export const validateQuery = (
  schema: Schema,
  document: QueryDocument,
  spend: (steps: number) => void,
): void => {
  const fragments = new Map((document.Fragments ?? []).map((fragment) => [fragment.Name, fragment]));
  const validation: Validation = { schema, fragments, spend };
  checkDocument(document, validation);
  for (const operation of document.Operations ?? []) checkOperation(operation, validation);
  for (const fragment of document.Fragments ?? []) checkFragment(fragment, validation);
};

const LOCATIONS: Readonly<Record<string, string>> = {
  query: 'QUERY',
  mutation: 'MUTATION',
  subscription: 'SUBSCRIPTION',
};

const checkOperation = (operation: Operation, validation: Validation): void => {
  const root = validation.schema.roots.get(operation.Operation);
  if (root === undefined) {
    throw new GraphqlError(
      `Schema does not support operation type "${operation.Operation}"`,
      operation.Position,
    );
  }
  checkVariableDefinitions(operation, validation);
  checkDirectiveUses(operation.Directives, LOCATIONS[operation.Operation]!, validation);
  checkSelections(operation.SelectionSet, root.Name, validation);
  checkMerging(operation.SelectionSet, root.Name, validation);
  checkOperationVariables(operation, root.Name, validation);
};

const checkFragment = (fragment: Fragment, validation: Validation): void => {
  const type = validation.schema.types.get(fragment.TypeCondition);
  if (type === undefined)
    throw new GraphqlError(`Unknown type "${fragment.TypeCondition}".`, fragment.Position);
  if (!['OBJECT', 'INTERFACE', 'UNION'].includes(type.Kind)) {
    throw new GraphqlError(
      `Fragment "${fragment.Name}" cannot condition on non composite type "${fragment.TypeCondition}".`,
      fragment.Position,
    );
  }
  checkDirectiveUses(fragment.Directives, 'FRAGMENT_DEFINITION', validation);
  checkSelections(fragment.SelectionSet, type.Name, validation);
};

const checkSelections = (
  selections: readonly Selection[] | undefined,
  parent: string,
  validation: Validation,
): void => {
  for (const selection of selections ?? []) {
    validation.spend(1);
    if (isField(selection)) {
      const field = checkField(selection, parent, validation);
      checkArgumentValues(
        selection,
        field,
        { owner: `${parent}.${selection.Name}`, kind: 'field' },
        validation,
      );
      checkDirectiveUses(selection.Directives, 'FIELD', validation);
      checkSelections(selection.SelectionSet, field.typeName, validation);
    } else if (isSpread(selection)) {
      checkSpread(selection, parent, validation);
      checkDirectiveUses(selection.Directives, 'FRAGMENT_SPREAD', validation);
    } else {
      const inner = checkInlineFragment(selection, parent, validation);
      checkDirectiveUses(selection.Directives, 'INLINE_FRAGMENT', validation);
      checkSelections(selection.SelectionSet, inner, validation);
    }
  }
};
