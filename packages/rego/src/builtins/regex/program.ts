import type { CharClass } from './char-class.ts';
import type { Assertion, ParsedRegexp, RegexpNode } from './syntax.ts';

/** One step of a compiled pattern. `next` and `other` are positions of instructions. */
export type Instruction =
  | { readonly op: 'char'; readonly code: number; next: number }
  | { readonly op: 'class'; readonly set: CharClass; next: number }
  | { readonly op: 'assert'; readonly assertion: Assertion; next: number }
  | { readonly op: 'save'; readonly slot: number; next: number }
  | { readonly op: 'split'; next: number; other: number }
  | { readonly op: 'match' };

/** A pattern as instructions. Slots come in pairs: start and end of each group, the whole match first. */
export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
  readonly slots: number;
  /** It begins with `^`, so that no match starts after the beginning of the text. */
  readonly anchored: boolean;
}

/** The longest program that is built: `(((a{30}){30})...` is refused before it fills the memory. */
const MAX_INSTRUCTIONS = 100_000;

/**
 * Compiles a tree to instructions for a Pike machine; counts are written out.
 * @throws Error when the pattern is too large
 */
export const compileProgram = (parsed: ParsedRegexp): Program => {
  const builder = new ProgramBuilder();
  const match = builder.add({ op: 'match' });
  const end = builder.add({ op: 'save', slot: 1, next: match });
  const body = builder.emit(parsed.root, end);
  const start = builder.add({ op: 'save', slot: 0, next: body });
  return {
    instructions: builder.instructions,
    start,
    slots: parsed.groupNames.length * 2,
    anchored: isAnchored(parsed.root),
  };
};

/** Builds from the end: each node is told where to go on, and answers where it begins. */
class ProgramBuilder {
  readonly instructions: Instruction[] = [];

  add(instruction: Instruction): number {
    if (this.instructions.length >= MAX_INSTRUCTIONS) {
      throw new Error('error parsing regexp: expression too large');
    }
    return this.instructions.push(instruction) - 1;
  }

  emit(node: RegexpNode, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next;
      case 'char':
        return this.add({ op: 'char', code: node.code, next });
      case 'class':
        return this.add({ op: 'class', set: node.set, next });
      case 'assert':
        return this.add({ op: 'assert', assertion: node.assertion, next });
      case 'concat':
        return node.items.reduceRight((after, item) => this.emit(item, after), next);
      case 'alternate':
        return this.#alternate(node.items, next);
      case 'capture': {
        const end = this.add({ op: 'save', slot: node.index * 2 + 1, next });
        const body = this.emit(node.item, end);
        return this.add({ op: 'save', slot: node.index * 2, next: body });
      }
      case 'repeat':
        return this.#repeat(node, next);
      default: {
        const never: never = node;
        return never;
      }
    }
  }

  #alternate(items: readonly RegexpNode[], next: number): number {
    const starts = items.map((item) => this.emit(item, next));
    return starts.reduceRight((other, start) => this.add({ op: 'split', next: start, other }));
  }

  #repeat(node: Extract<RegexpNode, { kind: 'repeat' }>, next: number): number {
    const { item, min, max, greedy } = node;
    let after = next;
    let copies = min;
    if (max === Infinity) {
      // What may be empty is repeated as `(x+)?`, so that an empty turn is a turn and still ends.
      if (min === 0) {
        return canBeEmpty(item)
          ? this.#choice(this.#plus(item, greedy, after), after, greedy)
          : this.#star(item, greedy, after);
      }
      after = this.#plus(item, greedy, after);
      copies = min - 1;
    } else {
      // The optional copies stand inside each other: x{0,2} is (x(x)?)?.
      for (let copy = min; copy < max; copy++) after = this.#choice(this.emit(item, after), next, greedy);
    }
    for (let copy = 0; copy < copies; copy++) after = this.emit(item, after);
    return after;
  }

  #choice(take: number, skip: number, greedy: boolean): number {
    return this.add(
      greedy ? { op: 'split', next: take, other: skip } : { op: 'split', next: skip, other: take },
    );
  }

  #star(item: RegexpNode, greedy: boolean, next: number): number {
    const loop = this.#choice(next, next, greedy);
    this.#setTaken(loop, this.emit(item, loop), greedy);
    return loop;
  }

  #plus(item: RegexpNode, greedy: boolean, next: number): number {
    const loop = this.#choice(next, next, greedy);
    const body = this.emit(item, loop);
    this.#setTaken(loop, body, greedy);
    return body;
  }

  #setTaken(loop: number, body: number, greedy: boolean): void {
    const split = this.instructions[loop] as Extract<Instruction, { op: 'split' }>;
    if (greedy) split.next = body;
    else split.other = body;
  }
}

const canBeEmpty = (node: RegexpNode): boolean => {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return true;
    case 'char':
    case 'class':
      return false;
    case 'capture':
      return canBeEmpty(node.item);
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.item);
    case 'concat':
      return node.items.every(canBeEmpty);
    case 'alternate':
      return node.items.some(canBeEmpty);
    default: {
      const never: never = node;
      return never;
    }
  }
};

const isAnchored = (node: RegexpNode): boolean => {
  if (node.kind === 'concat') return isAnchored(node.items[0]!);
  return node.kind === 'assert' && node.assertion === 'text-start';
};
