import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { ANY, anyOf, arrayOf, objectOf, setOf, tuple } from '../types/index.ts';
import { isArray, isObject, isSet, type RegoObject, RegoSet, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { checkSize, objectAt } from './operands.ts';

const neighbours = (edges: Value | undefined): readonly Value[] => {
  if (isArray(edges)) return edges;
  return isSet(edges) ? edges.sorted : [];
};

const initialAt = (args: readonly Value[]): readonly Value[] => {
  const initial = args[1]!;
  if (!isArray(initial) && !isSet(initial)) throw operandError(2, initial, '{array, set}');
  return neighbours(initial);
};

const reachable = (args: readonly Value[], context: BuiltinContext): Value => {
  const graph = objectAt(args, 0);
  const queue = [...initialAt(args)];
  const reached = new RegoSet();
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const edges = graph.get(next);
    if (edges === undefined || !reached.add(next)) continue;
    const found = neighbours(edges);
    context.spend(1 + found.length);
    for (const neighbour of found) if (!reached.has(neighbour)) queue.push(neighbour);
  }
  return reached;
};

/** How long a path may become. */
const MAX_PATH = 2_000;

/** All paths that end at a node without edges, outside the graph, or before a node that the path has seen. */
const reachablePaths = (args: readonly Value[], context: BuiltinContext): Value => {
  const graph = objectAt(args, 0);
  const paths = new RegoSet();
  for (const start of initialAt(args)) {
    const edges = graph.get(start);
    if (edges === undefined) continue;
    const found = neighbours(edges);
    if (found.length === 0) paths.add([start]);
    for (const neighbour of found) follow(neighbour, [start], { graph, paths, context });
  }
  return paths;
};

interface Walk {
  readonly graph: RegoObject;
  readonly paths: RegoSet;
  readonly context: BuiltinContext;
}

const follow = (node: Value, path: readonly Value[], walk: Walk): void => {
  if (path.length > MAX_PATH) throw new BuiltinError(`path longer than ${MAX_PATH} nodes`);
  walk.context.spend(1 + path.length);
  const edges = walk.graph.get(node);
  const longer = edges === undefined ? path : [...path, node];
  const found = neighbours(edges);
  if (found.length === 0) walk.paths.add(longer);
  const seen = new RegoSet(longer);
  for (const neighbour of found) {
    if (seen.has(neighbour)) walk.paths.add(longer);
    else follow(neighbour, longer, walk);
  }
  if (walk.paths.size > walk.context.limits.maxCollectionSize) checkSize(walk.paths.size, walk.context);
};

/** Each value inside a value, itself first, with the path to it. */
const walk = function* (args: readonly Value[], context: BuiltinContext): Generator<Value> {
  const pending: [readonly Value[], Value][] = [[[], args[0]!]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [path, value] = next;
    context.spend(1 + path.length);
    yield [path, value];
    const children = childrenOf(value);
    for (let index = children.length - 1; index >= 0; index--) {
      const [key, child] = children[index]!;
      pending.push([[...path, key], child]);
    }
  }
};

const childrenOf = (value: Value): readonly (readonly [Value, Value])[] => {
  if (isArray(value)) return value.map((element, index) => [index, element] as const);
  if (isSet(value)) return value.sorted.map((member) => [member, member] as const);
  return isObject(value) ? [...value] : [];
};

const NODES = anyOf(setOf(ANY), arrayOf(ANY));
const GRAPH = objectOf(ANY, NODES);

export const graphBuiltins: readonly BuiltinDeclaration[] = [
  builtin('graph.reachable', [GRAPH, NODES], setOf(ANY), reachable),
  builtin('graph.reachable_paths', [GRAPH, NODES], setOf(arrayOf(ANY)), reachablePaths),
  { name: 'walk', args: [ANY], result: tuple(arrayOf(ANY), ANY), relation: true, call: walk },
];
