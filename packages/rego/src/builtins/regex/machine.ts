import { codeBefore, holds, NO_CODE } from './position.ts';
import type { Program } from './program.ts';
import { type Spender, WORK_A_STEP } from './work.ts';

/** Positions in UTF-16 units, two for each group; -1 where a group took no part. */
export type Captures = Int32Array;

/**
 * Finds the leftmost match at or after `from`, the one that a backtracking engine would find first, by keeping all
 * ways to match in step (Pike's machine): at most one thread an instruction, so time is linear in the text.
 */
export const execute = (
  program: Program,
  text: string,
  from: number,
  spender: Spender,
): Captures | undefined => new Machine(program, text, spender).run(from);

/** The threads of one position in order of preference, and their captures by instruction. */
class ThreadList {
  readonly order: Int32Array;
  readonly captures: (Captures | undefined)[];
  readonly #seen: Int32Array;
  #turn = 0;
  count = 0;

  constructor(size: number) {
    this.order = new Int32Array(size);
    this.captures = new Array<Captures | undefined>(size);
    this.#seen = new Int32Array(size);
  }

  clear(): void {
    this.count = 0;
    this.#turn++;
  }

  /** Marks an instruction; false when it was marked before. */
  mark(instruction: number): boolean {
    if (this.#seen[instruction] === this.#turn) return false;
    this.#seen[instruction] = this.#turn;
    return true;
  }

  push(instruction: number, captures: Captures): void {
    this.order[this.count++] = instruction;
    this.captures[instruction] = captures;
  }
}

class Machine {
  readonly #program: Program;
  readonly #text: string;
  readonly #spender: Spender;
  #work = 0;
  #current: ThreadList;
  #following: ThreadList;
  /** Instructions still to be followed, with the captures at that moment. */
  readonly #pending: number[] = [];
  readonly #pendingCaptures: Captures[] = [];

  constructor(program: Program, text: string, spender: Spender) {
    this.#program = program;
    this.#text = text;
    this.#spender = spender;
    this.#current = new ThreadList(program.instructions.length);
    this.#following = new ThreadList(program.instructions.length);
    this.#current.clear();
    this.#following.clear();
  }

  run(from: number): Captures | undefined {
    let matched: Captures | undefined;
    let before = codeBefore(this.#text, from);
    let position = from;
    for (;;) {
      const code = position < this.#text.length ? this.#text.codePointAt(position)! : NO_CODE;
      if (matched === undefined)
        this.#follow(this.#current, this.#program.start, this.#fresh(), position, before, code);
      if (this.#current.count === 0 && (matched !== undefined || this.#program.anchored)) return matched;
      this.#account(this.#current.count);
      const width = code > 0xffff ? 2 : 1;
      const after =
        position + width < this.#text.length ? this.#text.codePointAt(position + width)! : NO_CODE;
      matched = this.#step(code, position + width, after) ?? matched;
      [this.#current, this.#following] = [this.#following, this.#current];
      this.#following.clear();
      if (code === NO_CODE) return matched;
      before = code;
      position += width;
    }
  }

  #account(threads: number): void {
    this.#work += 1 + threads;
    if (this.#work < WORK_A_STEP) return;
    this.#spender.spend(1);
    this.#work = 0;
  }

  #fresh(): Captures {
    return new Int32Array(this.#program.slots).fill(-1);
  }

  /** Moves all threads over one code point. Returns the captures of a match, which ends all threads behind it. */
  #step(code: number, position: number, after: number): Captures | undefined {
    const { instructions } = this.#program;
    const threads = this.#current;
    for (let index = 0; index < threads.count; index++) {
      const at = threads.order[index]!;
      const instruction = instructions[at]!;
      switch (instruction.op) {
        case 'match':
          return threads.captures[at];
        case 'char':
          if (instruction.code === code)
            this.#advance(instruction.next, threads.captures[at]!, position, code, after);
          break;
        case 'class':
          if (code !== NO_CODE && instruction.set.has(code)) {
            this.#advance(instruction.next, threads.captures[at]!, position, code, after);
          }
          break;
        default:
          break;
      }
    }
    return undefined;
  }

  #advance(next: number, captures: Captures, position: number, before: number, after: number): void {
    this.#follow(this.#following, next, captures, position, before, after);
  }

  /** Adds a thread and all that it reaches without taking a code point, preferred ways first. */
  #follow(
    list: ThreadList,
    start: number,
    captures: Captures,
    position: number,
    before: number,
    after: number,
  ): void {
    const { instructions } = this.#program;
    this.#pending.push(start);
    this.#pendingCaptures.push(captures);
    while (this.#pending.length > 0) {
      const at = this.#pending.pop()!;
      const held = this.#pendingCaptures.pop()!;
      if (!list.mark(at)) continue;
      const instruction = instructions[at]!;
      switch (instruction.op) {
        case 'split':
          this.#pending.push(instruction.other, instruction.next);
          this.#pendingCaptures.push(held, held);
          break;
        case 'save': {
          const saved = held.slice();
          saved[instruction.slot] = position;
          this.#pending.push(instruction.next);
          this.#pendingCaptures.push(saved);
          break;
        }
        case 'assert':
          if (holds(instruction.assertion, before, after)) {
            this.#pending.push(instruction.next);
            this.#pendingCaptures.push(held);
          }
          break;
        default:
          list.push(at, held);
      }
    }
  }
}
