import type { BuiltinContext, BuiltinDeclaration } from '../builtin.ts';
import { ANY, setOf } from '../types/index.ts';
import { isSet, RegoSet, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { checkSize, setAt, wrongElement } from './operands.ts';

const common = (a: RegoSet, b: RegoSet): RegoSet => {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  const result = new RegoSet();
  for (const member of small.values()) if (large.has(member)) result.add(member);
  return result;
};

const both = (a: RegoSet, b: RegoSet): RegoSet => {
  const result = new RegoSet(a.values());
  for (const member of b.values()) result.add(member);
  return result;
};

const on =
  (operation: (a: RegoSet, b: RegoSet) => RegoSet) =>
  (args: readonly Value[], context: BuiltinContext): Value => {
    const a = setAt(args, 0);
    const b = setAt(args, 1);
    checkSize(a.size + b.size, context);
    return operation(a, b);
  };

const setsAt = (args: readonly Value[]): readonly RegoSet[] => {
  const outer = setAt(args, 0);
  for (const member of outer) if (!isSet(member)) throw wrongElement(1, outer, member, 'set');
  return outer.sorted as readonly RegoSet[];
};

const union = (args: readonly Value[], context: BuiltinContext): Value => {
  const result = new RegoSet();
  for (const set of setsAt(args)) {
    checkSize(result.size + set.size, context);
    for (const member of set.values()) result.add(member);
  }
  return result;
};

const intersection = (args: readonly Value[], context: BuiltinContext): Value => {
  const [first, ...others] = setsAt(args);
  let result = first ?? new RegoSet();
  for (const set of others) {
    context.spend(Math.min(result.size, set.size));
    result = common(result, set);
  }
  return result;
};

const SET = setOf(ANY);

/** `&`, `|` and their forms over a set of sets; the difference is with `minus`. */
export const setBuiltins: readonly BuiltinDeclaration[] = [
  builtin('and', [SET, SET], SET, on(common), { infix: '&' }),
  builtin('or', [SET, SET], SET, on(both), { infix: '|' }),
  builtin('union', [setOf(SET)], SET, union),
  builtin('intersection', [setOf(SET)], SET, intersection),
];
