import type { Location } from '../ast/location.ts';
import { type BuiltinDeclaration, BuiltinError } from '../builtin.ts';
import { type Callee, type CoreCall, calleeName } from '../compile/core.ts';
import { RegoError } from '../error.ts';
import type { Value } from '../value/index.ts';
import { test } from './body.ts';
import type { Evaluation, Mock } from './evaluation.ts';
import { fastOperator } from './fast.ts';
import type { Place } from './layout.ts';
import type { Linker } from './linker.ts';
import { type Builder, chain, type Getter } from './step.ts';
import { compileOperand } from './terms.ts';
import { matchSlot, unify } from './unify.ts';

/** Calls something with operands that are values already. */
type Invoke = (evaluation: Evaluation, args: readonly Value[]) => Value | undefined;

/** A call: its operands are computed, then its result is unified or must not be false. */
export const compileCall = (statement: CoreCall, place: Place, location: Location): readonly Builder[] => {
  const before: Builder[] = [];
  const args = statement.args.map((arg) => compileOperand(arg, place, before, false));
  const { callee, output } = statement;
  if (callee.type === 'builtin' && callee.declaration.relation === true) {
    return [...before, iterateRelation(statement, args, place, location)];
  }
  const result = resultGetter(callee, args, place.linker, location);
  if (output === undefined) return [...before, test(result)];
  return [...before, ...unify(output, { type: 'computed', get: result }, place)];
};

const resultGetter = (
  callee: Callee,
  args: readonly Getter[],
  linker: Linker,
  location: Location,
): Getter => {
  const name = calleeName(callee);
  const invoke = invoker(callee, linker, location);
  const fast = callee.type === 'builtin' ? fastOperator(name) : undefined;
  const collected = collector(args);
  const general: Getter = (evaluation, frame) => {
    const values = collected(evaluation, frame);
    if (values === undefined) return undefined;
    const mock = evaluation.mocks?.get(name);
    if (mock !== undefined) return callMock(mock, evaluation, values, linker, location);
    return invoke(evaluation, values);
  };
  if (fast === undefined || args.length !== 2) return general;
  const [first, second] = args as [Getter, Getter];
  return (evaluation, frame) => {
    if (evaluation.mocks !== undefined) return general(evaluation, frame);
    const a = first(evaluation, frame);
    if (a === undefined) return undefined;
    const b = second(evaluation, frame);
    if (b === undefined) return undefined;
    return fast(a, b) ?? invoke(evaluation, [a, b]);
  };
};

type Collect = (...at: Parameters<Getter>) => readonly Value[] | undefined;

/** Computes all operands; `undefined` when one is. */
const collector =
  (args: readonly Getter[]): Collect =>
  (evaluation, frame) => {
    const values: Value[] = [];
    for (const arg of args) {
      const value = arg(evaluation, frame);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  };

const invoker = (callee: Callee, linker: Linker, location: Location): Invoke => {
  if (callee.type === 'builtin') return builtinInvoker(callee.declaration, location);
  const { group } = callee;
  return (evaluation, args) => linker.function(group).call(evaluation, args);
};

const builtinInvoker = (declaration: BuiltinDeclaration, location: Location): Invoke => {
  if (declaration.relation === true) throw new TypeError(`${declaration.name} has many results`);
  const { call } = declaration;
  return (evaluation, args) => {
    evaluation.session.step();
    try {
      return call(args, evaluation.session);
    } catch (error) {
      return failed(error, declaration, evaluation, location);
    }
  };
};

/** A built-in that fails is undefined, unless errors are asked for. */
const failed = (
  error: unknown,
  declaration: BuiltinDeclaration,
  evaluation: Evaluation,
  location: Location,
): undefined => {
  if (!(error instanceof BuiltinError)) throw error;
  if (evaluation.session.strict)
    throw new RegoError(error.code, `${declaration.name}: ${error.message}`, location);
  return undefined;
};

const callMock = (
  mock: Mock,
  evaluation: Evaluation,
  args: readonly Value[],
  linker: Linker,
  location: Location,
): Value | undefined => {
  if (mock.type === 'value') return mock.value;
  // What stands in for a function calls the real ones, itself included: otherwise it could not be written.
  const { input, data, shadows } = evaluation;
  const unmocked = evaluation.derive({ input, data, shadows });
  return invoker(mock.callee, linker, location)(unmocked, args);
};

/** A built-in with many results (`walk`): each is unified in turn. */
const iterateRelation = (
  statement: CoreCall,
  args: readonly Getter[],
  place: Place,
  location: Location,
): Builder => {
  if (statement.callee.type !== 'builtin' || statement.callee.declaration.relation !== true) {
    throw new TypeError('only built-ins are relations');
  }
  const { declaration } = statement.callee;
  const { call } = statement.callee.declaration;
  const slot = place.layout.temporary();
  const builders = statement.output === undefined ? [] : matchSlot(statement.output, slot, place);
  const collected = collector(args);
  return (next) => {
    const each = chain(builders, next);
    return (evaluation, frame) => {
      const values = collected(evaluation, frame);
      if (values === undefined) return false;
      for (const result of results(call, values, evaluation, declaration, location)) {
        evaluation.session.step();
        frame[slot] = result;
        if (each(evaluation, frame)) return true;
      }
      return false;
    };
  };
};

const results = (
  call: (args: readonly Value[], context: Evaluation['session']) => Iterable<Value>,
  args: readonly Value[],
  evaluation: Evaluation,
  declaration: BuiltinDeclaration,
  location: Location,
): Iterable<Value> => {
  try {
    return call(args, evaluation.session);
  } catch (error) {
    return failed(error, declaration, evaluation, location) ?? [];
  }
};
