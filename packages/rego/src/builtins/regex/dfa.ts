import { holds, NO_CODE } from './position.ts';
import type { Program } from './program.ts';
import { type Spender, WORK_A_STEP } from './work.ts';

/** A set of instructions that wait for a code point, and where each ASCII code point leads. */
interface State {
  /** In ascending order. Assertions among them are decided once the next code point is known. */
  readonly waiting: Int32Array;
  /** The last code point taken as far as assertions care: the edge, a newline, a word character or another. */
  readonly before: number;
  readonly ascii: (State | undefined)[];
}

/** States kept at a time. Beyond it, all are forgotten and built anew. */
const MAX_STATES = 2_000;

/** One of each kind of code point that an assertion tells apart. */
const OTHER = 0x20;
const WORD = 0x61;
const NEWLINE = 0x0a;

/**
 * Says whether a pattern matches anywhere in a text, without saying where: the states of a deterministic automaton are
 * built when first reached and kept for the next text, so most code points cost one look-up.
 */
export class MatchAutomaton {
  readonly #program: Program;
  readonly #states = new Map<string, State>();
  readonly #hasAssertions: boolean;
  readonly #accepting: State;
  readonly #seen: Int32Array;
  #initial: State | undefined;
  #spender: Spender | undefined;
  #work = 0;
  #turn = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#hasAssertions = program.instructions.some(({ op }) => op === 'assert');
    this.#accepting = { waiting: new Int32Array(0), before: NO_CODE, ascii: [] };
    this.#seen = new Int32Array(program.instructions.length);
  }

  test(text: string, spender: Spender): boolean {
    this.#spender = spender;
    spender.spend(1 + Math.floor(text.length / WORK_A_STEP));
    this.#initial ??= this.#closed([], NO_CODE);
    let state = this.#initial;
    for (let position = 0; position < text.length; position++) {
      let code = text.charCodeAt(position);
      if (code >= 0xd800) {
        code = text.codePointAt(position)!;
        if (code > 0xffff) position++;
      }
      const known = code < 128 ? state.ascii[code] : undefined;
      const next = known ?? this.#step(state, code);
      if (next === this.#accepting) return true;
      if (known === undefined && code < 128) state.ascii[code] = next;
      state = next;
    }
    return this.#step(state, NO_CODE) === this.#accepting;
  }

  #step(state: State, code: number): State {
    const ready = this.#hasAssertions ? this.#decide(state, code) : state.waiting;
    this.#account(state.waiting.length);
    const { instructions } = this.#program;
    const reached: number[] = [];
    for (const at of ready) {
      const instruction = instructions[at]!;
      if (instruction.op === 'match') return this.#accepting;
      if (code === NO_CODE) continue;
      if (instruction.op === 'char' && instruction.code === code) reached.push(instruction.next);
      else if (instruction.op === 'class' && instruction.set.has(code)) reached.push(instruction.next);
    }
    return this.#closed(reached, kindOf(code));
  }

  /** Follows the assertions of a state now that both sides are known. */
  #decide(state: State, code: number): number[] {
    const ready: number[] = [];
    this.#turn++;
    for (const at of state.waiting) this.#collect(at, ready, { before: state.before, after: code });
    return ready;
  }

  /** The state after these instructions, and after starting anew: a match may begin anywhere. */
  #closed(reached: readonly number[], before: number): State {
    const waiting: number[] = [];
    this.#turn++;
    for (const at of reached) this.#collect(at, waiting, undefined);
    this.#collect(this.#program.start, waiting, undefined);
    const sorted = Int32Array.from(waiting).sort();
    const seenBefore = this.#hasAssertions ? before : NO_CODE;
    const key = `${seenBefore}:${sorted.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= MAX_STATES) this.#forget();
    const state: State = { waiting: sorted, before: seenBefore, ascii: new Array<State | undefined>(128) };
    this.#states.set(key, state);
    return state;
  }

  #account(instructions: number): void {
    this.#work += 1 + instructions;
    if (this.#work < WORK_A_STEP) return;
    this.#spender?.spend(Math.ceil(this.#work / WORK_A_STEP));
    this.#work = 0;
  }

  #forget(): void {
    for (const state of this.#states.values()) state.ascii.fill(undefined);
    this.#states.clear();
    this.#initial = undefined;
  }

  #collect(start: number, into: number[], sides: { before: number; after: number } | undefined): void {
    const { instructions } = this.#program;
    const pending = [start];
    while (pending.length > 0) {
      const at = pending.pop()!;
      if (this.#seen[at] === this.#turn) continue;
      this.#seen[at] = this.#turn;
      const instruction = instructions[at]!;
      switch (instruction.op) {
        case 'split':
          pending.push(instruction.other, instruction.next);
          break;
        case 'save':
          pending.push(instruction.next);
          break;
        case 'assert':
          if (sides === undefined) into.push(at);
          else if (holds(instruction.assertion, sides.before, sides.after)) pending.push(instruction.next);
          break;
        default:
          into.push(at);
      }
    }
  }
}

const kindOf = (code: number): number => {
  if (code === NO_CODE || code === NEWLINE) return code;
  return holds('word-boundary', NO_CODE, code) ? WORD : OTHER;
};
