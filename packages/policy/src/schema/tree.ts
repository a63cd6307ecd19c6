import type { PolicyPath, PolicySource, Position } from '../problem.ts';

/** A file's data with the place of everything: all that the reader needs to know of YAML. Offsets count UTF-16 units from 0. */
export type TreeNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** Nothing is written where a value is expected. */
  readonly empty: boolean;
  readonly offset: number;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
  readonly offset: number;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly offset: number;
}

export interface MapEntry {
  readonly keyOffset: number;
  readonly value: TreeNode;
}

/** What a node is, in the words of messages. */
export function describeNode(node: TreeNode): string {
  switch (node.kind) {
    case 'list':
      return 'a list';
    case 'map':
      return 'a mapping';
    case 'scalar':
      if (node.value === null) return 'empty';
      if (typeof node.value === 'string') return `the text ${JSON.stringify(node.value.slice(0, 64))}`;
      return `the ${typeof node.value} ${node.value}`;
    default:
      return node satisfies never;
  }
}

/** Finds places in a tree. `positionOf` turns an offset into line and column. */
export class TreeSource implements PolicySource {
  readonly file?: string;
  readonly #root: TreeNode | undefined;
  readonly #positionOf: (offset: number) => Position;

  constructor(root: TreeNode | undefined, positionOf: (offset: number) => Position, file?: string) {
    if (file !== undefined) this.file = file;
    this.#root = root;
    this.#positionOf = positionOf;
  }

  locate(path: PolicyPath, part: 'key' | 'value' = 'value'): Position {
    if (!this.#root) return this.#positionOf(0);
    let node = this.#root;
    let offset = node.offset;
    for (const step of path) {
      const entry = node.kind === 'map' ? node.entries.get(String(step)) : undefined;
      const next = node.kind === 'list' && typeof step === 'number' ? node.items[step] : entry?.value;
      if (!next) break;
      const atEnd = step === path.at(-1);
      const useKey =
        entry !== undefined && ((atEnd && part === 'key') || (next.kind === 'scalar' && next.empty));
      offset = useKey ? entry.keyOffset : next.offset;
      node = next;
    }
    return this.#positionOf(offset);
  }
}
