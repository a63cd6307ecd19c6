import type { Detector } from './detectors.ts';
import type { Sequence } from './pattern.ts';

/** Stands where a match was. Plain text in any syntax that the match stood in as text. */
export const REDACTED = Buffer.from('[REDACTED]');

/** No match here; or none yet, because the bytes end first. */
const NONE = -1;
const MORE = -2;

/**
 * Looks for detectors' matches in bytes that come in pieces, cut anywhere. The leftmost match counts, of several there the longest.
 * What might still become a match is held back, never more than the longest pattern; what is certain is given on at once.
 */
export class Scanner {
  /** How often each detector matched. */
  readonly counts = new Map<string, number>();
  readonly #starts: readonly (readonly Candidate[] | undefined)[];
  #held: Buffer = Buffer.alloc(0);
  /** The end of a match that was found, and goes on as long as bytes are of its last set. */
  #open: { readonly set: Uint8Array; left: number } | undefined;

  constructor(index: ScannerIndex) {
    this.#starts = index.starts;
  }

  get found(): boolean {
    return this.counts.size > 0;
  }

  /** What can be given on, with matches replaced. Its bytes may be those of the piece. `last`: nothing follows. */
  push(piece: Buffer, last: boolean): Buffer {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    this.#held = EMPTY;
    const parts: Buffer[] = [];
    let from = this.#swallow(bytes, 0);
    let at = from;
    while (at < bytes.length) {
      const candidates = this.#starts[bytes[at]!];
      const match = candidates === undefined ? undefined : this.#longest(candidates, bytes, at, last);
      if (match === undefined) {
        at++;
        continue;
      }
      if (match === MORE) {
        this.#held = Buffer.from(bytes.subarray(at));
        parts.push(bytes.subarray(from, at));
        return joined(parts);
      }
      parts.push(bytes.subarray(from, at), REDACTED);
      at = this.#swallow(bytes, match);
      from = at;
    }
    parts.push(bytes.subarray(from));
    return joined(parts);
  }

  /** The end of the longest match at a place; undefined where there is none. */
  #longest(candidates: readonly Candidate[], bytes: Buffer, at: number, last: boolean): number | undefined {
    let best: { end: number; candidate: Candidate } | undefined;
    for (const candidate of candidates) {
      const end = matchEnd(candidate.sequence, bytes, at, last);
      if (end === MORE) return MORE;
      if (end !== NONE && end > (best?.end ?? at)) best = { end, candidate };
    }
    if (best === undefined) return undefined;
    const { name, sequence } = best.candidate;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    const tail = sequence.at(-1)!;
    // Only an open end goes on into the next piece: a bounded one was waited for.
    if (best.end === bytes.length && tail.max === Infinity) this.#open = { set: tail.set, left: tail.max };
    return best.end;
  }

  /** Where an open match ends. */
  #swallow(bytes: Buffer, from: number): number {
    if (this.#open === undefined) return from;
    let at = from;
    while (at < bytes.length && this.#open.set[bytes[at]!] === 1) at++;
    if (at < bytes.length) this.#open = undefined;
    return at;
  }
}

interface Candidate {
  readonly name: string;
  readonly sequence: Sequence;
}

/** Which sequences can begin with a byte: made once for a stage, used by all its scanners. */
export class ScannerIndex {
  readonly starts: readonly (readonly Candidate[] | undefined)[];

  constructor(detectors: readonly Detector[]) {
    const candidates = detectors.flatMap(({ name, sequences }) =>
      sequences.map((sequence) => ({ name, sequence })),
    );
    this.starts = Array.from({ length: 256 }, (_, byte) => {
      const some = candidates.filter(({ sequence }) => canBegin(sequence, byte));
      return some.length > 0 ? some : undefined;
    });
  }
}

const EMPTY = Buffer.alloc(0);

function canBegin(sequence: Sequence, byte: number): boolean {
  for (const { set, min } of sequence) {
    if (set[byte] === 1) return true;
    if (min > 0) return false;
  }
  return false;
}

/** Where the sequence's match that begins at `at` ends. One pass: no step is ever tried with another count. */
function matchEnd(sequence: Sequence, bytes: Buffer, at: number, last: boolean): number {
  let place = at;
  for (let index = 0; index < sequence.length; index++) {
    const { set, min, max } = sequence[index]!;
    let count = 0;
    while (count < max && place < bytes.length && set[bytes[place]!] === 1) {
      place++;
      count++;
    }
    const isOpenEnd = max === Infinity && count >= min;
    if (place === bytes.length && count < max && !last && !isOpenEnd) return MORE;
    if (count < min) return NONE;
  }
  return place;
}

const joined = (parts: readonly Buffer[]): Buffer => {
  const some = parts.filter(({ length }) => length > 0);
  return some.length === 1 ? some[0]! : Buffer.concat(some);
};
