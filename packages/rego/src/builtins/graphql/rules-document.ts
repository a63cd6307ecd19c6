import {
  type Fragment,
  GraphqlError,
  isSpread,
  type Operation,
  type QueryDocument,
  type Selection,
} from './ast.ts';
import type { Validation } from './validate.ts';

/** Rules about a document as a whole: names that are there once, and fragments that are used and end. */
export const checkDocument = (document: QueryDocument, validation: Validation): void => {
  checkOperationNames(document.Operations ?? []);
  checkFragmentNames(document.Fragments ?? []);
  for (const fragment of document.Fragments ?? []) checkCycles(fragment, validation);
  checkUnusedFragments(document, validation);
  for (const operation of document.Operations ?? []) checkSubscription(operation);
};

const checkOperationNames = (operations: readonly Operation[]): void => {
  const seen = new Set<string>();
  for (const { Name, Position } of operations) {
    if (Name === '' && operations.length > 1) {
      throw new GraphqlError('This anonymous operation must be the only defined operation.', Position);
    }
    if (seen.has(Name)) throw new GraphqlError(`There can be only one operation named "${Name}".`, Position);
    seen.add(Name);
  }
};

const checkFragmentNames = (fragments: readonly Fragment[]): void => {
  const seen = new Set<string>();
  for (const { Name, Position } of fragments) {
    if (seen.has(Name)) throw new GraphqlError(`There can be only one fragment named "${Name}".`, Position);
    seen.add(Name);
  }
};

/** The names of all fragments that selections use, themselves or in what they contain. */
const spreadNames = (selections: readonly Selection[] | undefined): string[] =>
  (selections ?? []).flatMap((selection) => {
    if (isSpread(selection)) return [selection.Name];
    return spreadNames(selection.SelectionSet);
  });

const checkCycles = (fragment: Fragment, { fragments, spend }: Validation): void => {
  const pending = spreadNames(fragment.SelectionSet);
  const seen = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    spend(1);
    if (name === fragment.Name) {
      const via = [...seen].map((each) => `"${each}"`).join(', ');
      throw new GraphqlError(
        `Cannot spread fragment "${fragment.Name}" within itself${via === '' ? '' : ` via ${via}`}.`,
        fragment.Position,
      );
    }
    if (seen.has(name)) continue;
    seen.add(name);
    pending.push(...spreadNames(fragments.get(name)?.SelectionSet));
  }
};

const checkUnusedFragments = (document: QueryDocument, { fragments }: Validation): void => {
  const used = new Set<string>();
  const pending = (document.Operations ?? []).flatMap(({ SelectionSet }) => spreadNames(SelectionSet));
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    pending.push(...spreadNames(fragments.get(name)?.SelectionSet));
  }
  for (const { Name, Position } of document.Fragments ?? []) {
    if (!used.has(Name)) throw new GraphqlError(`Fragment "${Name}" is never used.`, Position);
  }
};

const checkSubscription = ({ Operation, Name, SelectionSet, Position }: Operation): void => {
  if (Operation !== 'subscription' || (SelectionSet ?? []).length <= 1) return;
  const subject = Name === '' ? 'Anonymous Subscription' : `Subscription "${Name}"`;
  throw new GraphqlError(`${subject} must select only one top level field.`, Position);
};
