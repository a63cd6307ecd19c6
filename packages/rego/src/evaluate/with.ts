import type { CoreWith } from '../compile/core.ts';
import type { Value } from '../value/index.ts';
import { type Evaluation, type Mock, patched, type Replacements } from './evaluation.ts';
import type { Place } from './layout.ts';
import type { Builder, Frame } from './step.ts';
import { compileOperand } from './terms.ts';

/** What is seen after a `with`; `undefined` when its value is undefined. */
export type Modify = (seen: Replacements, evaluation: Evaluation, frame: Frame) => Replacements | undefined;

/** A `with` modifier; its value is computed outside of it. */
export const compileWith = (modifier: CoreWith, place: Place, before: Builder[]): Modify => {
  switch (modifier.type) {
    case 'input':
    case 'data': {
      const get = compileOperand(modifier.value, place, before, false);
      const replace = modifier.type === 'input' ? replaceInput : replaceData;
      const { path } = modifier;
      return (seen, evaluation, frame) => {
        const value = get(evaluation, frame);
        return value === undefined ? undefined : replace(seen, path, value);
      };
    }
    case 'function':
      return compileMock(modifier, place, before);
    default:
      return modifier satisfies never;
  }
};

const select = ({ input, data, shadows, mocks }: Replacements): Replacements => ({
  input,
  data,
  shadows,
  mocks,
});

const replaceInput = (seen: Replacements, path: readonly string[], value: Value): Replacements => ({
  ...select(seen),
  input: patched(seen.input, path, value),
});

const replaceData = (seen: Replacements, path: readonly string[], value: Value): Replacements => ({
  ...select(seen),
  data: patched(seen.data, path, value),
  shadows: [...(seen.shadows ?? []), path],
});

const compileMock = (
  modifier: Extract<CoreWith, { type: 'function' }>,
  place: Place,
  before: Builder[],
): Modify => {
  const { name, replacement } = modifier;
  if (replacement.type === 'callee') return (seen) => withMock(seen, name, replacement);
  const get = compileOperand(replacement.value, place, before, false);
  return (seen, evaluation, frame) => {
    const value = get(evaluation, frame);
    return value === undefined ? undefined : withMock(seen, name, { type: 'value', value });
  };
};

const withMock = (seen: Replacements, name: string, mock: Mock): Replacements => ({
  ...select(seen),
  mocks: new Map(seen.mocks ?? []).set(name, mock),
});
