import type { Program } from '../compile/program.ts';
import type { RuleGroup, RuleNode } from '../compile/rule-tree.ts';
import { type Key, keyOf, type Value } from '../value/index.ts';
import { DocumentRuntime } from './documents.ts';
import { FunctionRuntime } from './functions.ts';
import type { Linker } from './linker.ts';

/** Makes the closures of a program as they are asked for, each once. */
export class ProgramLinker implements Linker {
  readonly tree: RuleNode;
  readonly #constants: ReadonlySet<RuleGroup>;
  readonly #inputPaths = new Map<Key, number>();
  readonly #documents: DocumentRuntime[] = [];
  readonly #functions: FunctionRuntime[] = [];

  constructor(program: Program) {
    this.tree = program.tree;
    this.#constants = program.constants;
  }

  isConstant(group: RuleGroup): boolean {
    return this.#constants.has(group);
  }

  inputPath(path: readonly Value[]): number {
    const key = keyOf(path);
    const known = this.#inputPaths.get(key);
    if (known !== undefined) return known;
    const id = this.#inputPaths.size;
    this.#inputPaths.set(key, id);
    return id;
  }

  document(group: RuleGroup): DocumentRuntime {
    let runtime = this.#documents[group.id];
    if (runtime === undefined) {
      runtime = new DocumentRuntime(group, this);
      this.#documents[group.id] = runtime;
    }
    return runtime;
  }

  function(group: RuleGroup): FunctionRuntime {
    let runtime = this.#functions[group.id];
    if (runtime === undefined) {
      runtime = new FunctionRuntime(group, this);
      this.#functions[group.id] = runtime;
    }
    return runtime;
  }
}
