import { OpenShellError } from '@openshell/base';

/** One step of a sequence: a byte of the set, between `min` and `max` times, as often as possible. */
export interface PatternStep {
  /** 256 entries, 1 for a byte of the set. */
  readonly set: Uint8Array;
  readonly min: number;
  /** `Infinity` only for the last step. */
  readonly max: number;
}

export type Sequence = readonly PatternStep[];

/** The longest text that a pattern without an open end can be, in bytes: also what a stream is held back for. */
export const PATTERN_BYTES = 512;

const bad = (source: string, why: string): OpenShellError =>
  new OpenShellError(`the pattern ${JSON.stringify(source.slice(0, 64))} ${why}`, {
    code: 'bad_pattern',
    remedy:
      'A pattern is characters, [sets], \\d \\w \\s and "." with ?, {n}, {n,m}, and + * {n,} at its end; alternatives with | between them.',
  });

/**
 * Compiles a pattern of a dialect in which every text is matched in one pass: a sequence of characters and sets, each with a count, no
 * groups, no references, no assertions. Where a count is variable, what may follow is something else, so that there is one way to match
 * and nothing to go back for; an open count stands at the end only. A text of ASCII; bytes beyond it are matched by `.` and
 * negated sets.
 * @throws OpenShellError `bad_pattern`
 */
export function compilePattern(source: string): Sequence[] {
  const sequences = new PatternReader(source).read();
  for (const sequence of sequences) {
    requireOneWay(sequence, source);
    if (leastBytes(sequence) === 0) throw bad(source, 'matches nothing at all');
    if (mostBytes(sequence) > PATTERN_BYTES) throw bad(source, `matches more than ${PATTERN_BYTES} bytes`);
  }
  return sequences;
}

const leastBytes = (sequence: Sequence): number => sequence.reduce((sum, { min }) => sum + min, 0);

/** Of what has to be seen to know that the sequence is there: of an open count that is the least. */
export const mostBytes = (sequence: Sequence): number =>
  sequence.reduce((sum, { min, max }) => sum + (max === Infinity ? min : max), 0);

function requireOneWay(sequence: Sequence, source: string): void {
  for (const [index, step] of sequence.entries()) {
    if (step.min === step.max) continue;
    for (const next of sequence.slice(index + 1)) {
      if (step.max === Infinity) throw bad(source, 'has + * or {n,} before its end');
      if (next.set.some((member, byte) => member === 1 && step.set[byte] === 1))
        throw bad(
          source,
          'can match one text in two ways: what follows a variable count must differ from it',
        );
      if (next.min > 0) break;
    }
  }
}

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const CLASSES: Readonly<Record<string, string>> = { d: DIGITS, w: `${LETTERS}${DIGITS}_`, s: ' \t\r\n\f\v' };
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

const setOf = (characters: string): Uint8Array => {
  const set = new Uint8Array(256);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
};

const inverted = (set: Uint8Array): Uint8Array => set.map((member) => 1 - member);

class PatternReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): Sequence[] {
    if (!/^[\x20-\x7e]{1,1024}$/.test(this.#source))
      throw this.#bad('is empty, longer than 1024 characters, or not printable ASCII');
    const sequences: Sequence[] = [this.#sequence()];
    while (this.#take('|')) sequences.push(this.#sequence());
    return sequences;
  }

  #sequence(): Sequence {
    const steps: PatternStep[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== '|') {
      const set = this.#set();
      steps.push({ set, ...this.#count() });
    }
    return steps;
  }

  #set(): Uint8Array {
    const character = this.#next();
    if (character === '[') return this.#bracket();
    if (character === '\\') return this.#escape();
    if (character === '.') return inverted(setOf('\n'));
    if ('()^$*+?{}]'.includes(character))
      throw this.#bad(`has "${character}" at ${this.#at}, which is not accepted there`);
    return setOf(character);
  }

  #escape(): Uint8Array {
    const character = this.#next();
    const named = CLASSES[character] ?? CONTROLS[character];
    if (named !== undefined) return setOf(named);
    const negated = /[DWS]/.test(character) && CLASSES[character.toLowerCase()];
    if (negated) return inverted(setOf(negated));
    if (LETTERS.includes(character) || DIGITS.includes(character))
      throw this.#bad(`has "\\${character}", which is not accepted`);
    return setOf(character);
  }

  #bracket(): Uint8Array {
    const negate = this.#take('^');
    const set = new Uint8Array(256);
    do {
      const from = this.#member();
      const to = this.#rangeEnd(from);
      if (to === undefined) for (let byte = 0; byte < 256; byte++) set[byte]! |= from[byte]!;
      else for (let byte = from.indexOf(1); byte <= to; byte++) set[byte] = 1;
    } while (!this.#take(']'));
    return negate ? inverted(set) : set;
  }

  #member(): Uint8Array {
    const character = this.#next();
    if (character === '\\') return this.#escape();
    if (character === '[' || character === ']')
      throw this.#bad(`has "${character}" inside a set; write it as \\${character}`);
    return setOf(character);
  }

  #rangeEnd(from: Uint8Array): number | undefined {
    const isRange = this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']';
    if (!isRange) return undefined;
    this.#at++;
    const to = this.#member();
    const single = (set: Uint8Array): boolean => set.indexOf(1) === set.lastIndexOf(1);
    if (!single(from) || !single(to) || to.indexOf(1) < from.indexOf(1))
      throw this.#bad('has a range that is none');
    return to.indexOf(1);
  }

  #count(): { min: number; max: number } {
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#take('*')) return { min: 0, max: Infinity };
    if (this.#take('+')) return { min: 1, max: Infinity };
    if (!this.#take('{')) return { min: 1, max: 1 };
    const found = /^(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#source.slice(this.#at));
    if (!found) throw this.#bad('has a "{" that begins no count; write it as \\{');
    this.#at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Infinity : Number(found[3]);
    if (max < min || max === 0) throw this.#bad(`has the count {${found[0]}`);
    return { min, max };
  }

  #next(): string {
    const character = this.#source[this.#at++];
    if (character === undefined) throw this.#bad('ends too early');
    return character;
  }

  #take(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #bad(why: string): OpenShellError {
    return bad(this.#source, why);
  }
}
