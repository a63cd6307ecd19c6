import type { Type } from './types/index.ts';
import { type RegoObject, typeName, type Value } from './value/index.ts';

/** How a built-in function is declared: what the compiler checks and what the evaluator calls. */
export type BuiltinDeclaration = FunctionDeclaration | RelationDeclaration;

interface DeclarationBase {
  /** As policies write it: `array.concat`, `plus`. */
  readonly name: string;
  /** The operator that stands for it, e.g. `+`. */
  readonly infix?: string;
  /** One type an operand, as in OPA's capabilities. */
  readonly args: readonly Type[];
  /** Further operands of this type may follow (`print` alone in OPA). */
  readonly variadic?: Type;
  /** The type of the result. */
  readonly result: Type;
  /** Strict mode and Rego v1 refuse it. */
  readonly deprecated?: boolean;
  /** The same operands may give another result in another evaluation (clock, network, random numbers). */
  readonly nondeterministic?: boolean;
  /** Only there when the embedder grants this ability. */
  readonly requires?: keyof Granted;
}

/** Yields one result, or `undefined` when the call is undefined. */
export interface FunctionDeclaration extends DeclarationBase {
  readonly relation?: false;
  readonly call: BuiltinFunction;
}

/** Yields any number of results, which the policy iterates over: `walk`. */
export interface RelationDeclaration extends DeclarationBase {
  readonly relation: true;
  readonly call: (args: readonly Value[], context: BuiltinContext) => Iterable<Value>;
}

/**
 * The body of a built-in. The number of operands has been checked; their types only as far as the compiler knew them.
 * Throws `operandError` for operands of a wrong type and `BuiltinError` for everything else that is wrong.
 */
export type BuiltinFunction = (args: readonly Value[], context: BuiltinContext) => Value | undefined;

/** What a built-in may know and use besides its operands. One a evaluation. */
export interface BuiltinContext {
  /** The time of this evaluation in nanoseconds since 1970: the same however often it is asked. */
  readonly nowNs: bigint;
  /** A number in [0, 1), from the evaluation's seed when it has one. */
  random(): number;
  /** Kept as long as this evaluation: what must be the same twice (`rand.intn`, `uuid.rfc4122`, `http.send`). */
  readonly cache: Map<string, unknown>;
  /** Kept as long as the compiled policy: compiled patterns, schemas. Whoever adds to it bounds its own part. */
  readonly sharedCache: Map<string, unknown>;
  readonly limits: BuiltinLimits;
  /** Accounts for work in steps of roughly one element or byte block; throws when the evaluation's budget is spent. */
  spend(steps: number): void;
  /** What `opa.runtime` tells. */
  readonly runtime: RegoObject;
  readonly granted: Granted;
  /** Called by `print`. */
  print(text: string): void;
  /** Called by `trace`. */
  trace(note: string): void;
  /** Parses a Rego module to its AST as OPA's JSON. Throws a RegoError. */
  parseModule(filename: string, text: string): Value;
}

export interface BuiltinLimits {
  /** Longest string that a built-in may make, in UTF-16 units. */
  readonly maxStringLength: number;
  /** Most elements of a collection that a built-in may make. */
  readonly maxCollectionSize: number;
}

/** Abilities that policies do not have unless the embedder hands them in. Synchronous, as evaluation is. */
export interface Granted {
  /** Does what `http.send` is asked for; the operand and the result are those of OPA's built-in. */
  readonly httpSend?: (request: RegoObject) => Value;
  /** The addresses of a name. Throws when the lookup fails. */
  readonly lookupIpAddr?: (name: string) => readonly string[];
}

/** A built-in that failed (`eval_builtin_error`): the call is undefined, or the evaluation ends with strict errors. */
export class BuiltinError extends Error {
  readonly code: 'eval_builtin_error' | 'eval_type_error' = 'eval_builtin_error';
  override readonly name: string = 'BuiltinError';
}

/** An operand of a wrong type (`eval_type_error`). */
export class OperandError extends BuiltinError {
  override readonly code = 'eval_type_error';
  override readonly name = 'OperandError';
}

/**
 * `operand 1 must be one of {string, set} but got number`: what OPA says of an operand of a wrong type.
 * @param position from 1
 */
export const operandError = (position: number, value: Value, ...expected: readonly string[]): OperandError =>
  new OperandError(`operand ${position} must be ${oneOf(expected)} but got ${typeName(value)}`);

/** As `operandError` for an element of a collection operand: `operand 2 must be array of strings but got array containing number`. */
export const elementError = (
  position: number,
  container: Value,
  element: Value,
  ...expected: readonly string[]
): OperandError =>
  new OperandError(
    `operand ${position} must be ${oneOf(expected)} but got ${typeName(container)} containing ${typeName(element)}`,
  );

const oneOf = (expected: readonly string[]): string =>
  expected.length === 1 ? expected[0]! : `one of {${expected.join(', ')}}`;
