import type { BuiltinFunction, FunctionDeclaration } from '../builtin.ts';
import type { Type } from '../types/index.ts';

/** What only some built-ins have. */
export type BuiltinTraits = Pick<
  FunctionDeclaration,
  'infix' | 'deprecated' | 'nondeterministic' | 'requires' | 'variadic'
>;

/** Declares a built-in function: `builtin('lower', [STRING], STRING, ...)`. */
export const builtin = (
  name: string,
  args: readonly Type[],
  result: Type,
  call: BuiltinFunction,
  traits: BuiltinTraits = {},
): FunctionDeclaration => ({ name, args, result, call, ...traits });
