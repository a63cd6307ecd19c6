/**
 * Texts that are looked for however they are written: as they are, percent-encoded (any of their characters, up to four times over),
 * with JSON escapes, or as part of something in base64. All texts here are bytes as latin1, one character a byte.
 */
export interface Needle {
  readonly bytes: string;
  /** Upper and lower case are the same. */
  readonly anyCase?: boolean;
}

export interface Hit {
  readonly start: number;
  readonly end: number;
  /** Position of the needle in the list. */
  readonly needle: number;
}

/** What a look at a text found. */
export interface Scan {
  /** From left to right, none inside another; the longest where several begin. */
  readonly hits: readonly Hit[];
  /** How far the text is clear, hits apart; behind it one may have begun that goes on. All of the text when nothing follows it. */
  readonly clear: number;
}

/** Whether more text may follow the end of this one. */
export type Ending = 'final' | 'open';

/** How many characters of a needle the first, quick look compares. */
const QUICK = 6;
/** Percent-encoding of percent-encoding is followed this deep: `%252525`. */
const PERCENT_DEPTH = 3;
const LONGEST_UNIT = 3 + 2 * PERCENT_DEPTH;

interface Pattern {
  readonly needle: number;
  /** For each character of the needle the codes that may stand for it. */
  readonly codes: readonly (readonly number[])[];
  /** Compared as it stands. */
  readonly exact: boolean;
}

/** Finds needles in whole texts and at the edges of pieces of a stream. Linear in the text. */
export class EncodedSearch {
  readonly #patterns: readonly Pattern[];
  /** One for what may be encoded, one for what is compared as it stands: together they would be several times slower. */
  readonly #quick: readonly RegExp[];

  constructor(needles: readonly Needle[]) {
    this.#patterns = needles.flatMap(patternsOf);
    this.#quick = [false, true].map((exact) => {
      const sources = this.#patterns.filter((pattern) => pattern.exact === exact).map(quickSource);
      return new RegExp([...new Set(sources)].join('|') || '(?!)', 'g');
    });
  }

  /** Whether a whole text holds a needle. */
  test(text: string): boolean {
    return this.scan(text, 'final', 1).hits.length > 0;
  }

  /** Finds needles, at most so many. */
  scan(text: string, ending: Ending, most = Number.POSITIVE_INFINITY): Scan {
    const hits: Hit[] = [];
    const candidates = this.#quick.map((quick) => new Candidates(quick, text));
    const edge = ending === 'open' ? text.length - QUICK * LONGEST_UNIT : Number.POSITIVE_INFINITY;
    let from = 0;
    while (hits.length < most) {
      const at = Math.min(...candidates.map((candidate) => candidate.from(from)));
      if (at >= edge) {
        const tail = this.#tail(text, Math.max(from, edge));
        if (tail <= at) return { hits, clear: Math.min(tail, text.length) };
      }
      if (at === Number.POSITIVE_INFINITY) break;
      const { hit, open } = this.#at(text, at);
      if (open && ending === 'open') return { hits, clear: at };
      if (hit) hits.push(hit);
      from = hit ? hit.end : at + 1;
    }
    return { hits, clear: text.length };
  }

  /** Where, from `from` on, something begins that only more text can tell from a needle. The quick look may be too long to see it. */
  #tail(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const found = this.#at(text, at);
      if (found.open) return at;
      // The quick look finds this one, and what is behind it is looked at afterwards.
      if (found.hit) break;
    }
    return Number.POSITIVE_INFINITY;
  }

  #at(text: string, at: number): { hit: Hit | undefined; open: boolean } {
    let hit: Hit | undefined;
    let open = false;
    for (const pattern of this.#patterns) {
      const found = matchAt(pattern, text, at);
      open ||= found.open;
      if (found.end > (hit?.end ?? at)) hit = { start: at, end: found.end, needle: pattern.needle };
    }
    return { hit, open };
  }
}

/** The places that one quick look finds, from left to right; each part of the text is looked at once. */
class Candidates {
  readonly #quick: RegExp;
  readonly #text: string;
  #at = -1;

  constructor(quick: RegExp, text: string) {
    this.#quick = quick;
    this.#text = text;
  }

  /** The first at or behind `from`, which never goes back; infinity when there is none. */
  from(from: number): number {
    if (this.#at < from) {
      this.#quick.lastIndex = from;
      this.#at = this.#quick.exec(this.#text)?.index ?? Number.POSITIVE_INFINITY;
    }
    return this.#at;
  }
}

/**
 * Follows every reading of the text at once: a `%` may be itself or begin an escape. `end` is 0 where nothing matches; `open` says that
 * the text ended first.
 */
function matchAt(pattern: Pattern, text: string, at: number): { end: number; open: boolean } {
  const first = pattern.codes[0]!;
  const head = text.charCodeAt(at);
  if (!first.includes(head) && (pattern.exact || (head !== PERCENT && head !== BACKSLASH))) return NOWHERE;
  let ends = [at];
  let open = false;
  for (const codes of pattern.codes) {
    const next: number[] = [];
    for (const end of ends) {
      if (end >= text.length) open = true;
      else if (pattern.exact) {
        if (codes.includes(text.charCodeAt(end))) next.push(end + 1);
      } else if (unit(text, end, codes, next)) open = true;
    }
    if (next.length === 0) return open ? { end: 0, open } : NOWHERE;
    ends = next.length > 1 ? [...new Set(next)] : next;
  }
  return { end: Math.max(...ends), open };
}

const NOWHERE = { end: 0, open: false } as const;
const PERCENT = 0x25;
const BACKSLASH = 0x5c;

/** Adds where one character, in whatever writing, ends if it is one of `codes`. Answers whether an escape is cut off by the text's end. */
function unit(text: string, at: number, codes: readonly number[], ends: number[]): boolean {
  const code = text.charCodeAt(at);
  if (codes.includes(code)) ends.push(at + 1);
  if (code === 0x2b && codes.includes(0x20)) ends.push(at + 1);
  if (code === PERCENT) return percentUnit(text, at, codes, ends);
  if (code === BACKSLASH) return jsonUnit(text, at, codes, ends);
  return false;
}

function percentUnit(text: string, at: number, codes: readonly number[], ends: number[]): boolean {
  let digits = at + 1;
  for (let depth = 0; ; depth++) {
    if (digits + 2 > text.length) return isHex(text.slice(digits));
    const value = hexValue(text.slice(digits, digits + 2));
    if (value === undefined) return false;
    if (codes.includes(value)) ends.push(digits + 2);
    if (value !== PERCENT || depth === PERCENT_DEPTH) return false;
    digits += 2;
  }
}

/** RFC 8259 section 7; the short escapes of control characters stand for nothing that a needle holds, except the tab. */
function jsonUnit(text: string, at: number, codes: readonly number[], ends: number[]): boolean {
  if (at + 1 >= text.length) return true;
  const escaped = text.charCodeAt(at + 1);
  if (escaped !== 0x75) {
    const value = escaped === 0x74 ? 0x09 : escaped;
    if ((value === 0x09 || value === 0x22 || value === 0x2f || value === BACKSLASH) && codes.includes(value))
      ends.push(at + 2);
    return false;
  }
  const digits = text.slice(at + 2, at + 6);
  if (digits.length < 4) return isHex(digits);
  const value = hexValue(digits);
  if (value !== undefined && codes.includes(value)) ends.push(at + 6);
  return false;
}

const isHex = (text: string): boolean => /^[0-9a-fA-F]*$/.test(text);
const hexValue = (digits: string): number | undefined =>
  isHex(digits) ? Number.parseInt(digits, 16) : undefined;

function patternsOf(needle: Needle, index: number): Pattern[] {
  const codes = [...needle.bytes].map((char) =>
    needle.anyCase
      ? [...new Set([char.toLowerCase().charCodeAt(0), char.toUpperCase().charCodeAt(0)])]
      : [char.charCodeAt(0)],
  );
  const plain: Pattern = { needle: index, codes, exact: false };
  const exact = [...base64Cores(needle.bytes), ...escapedUnicode(needle.bytes)];
  return [
    plain,
    ...exact.map((text) => ({
      needle: index,
      codes: [...text].map((char) => [char.charCodeAt(0)]),
      exact: true,
    })),
  ];
}

/** Shorter stretches of base64 would be found where nothing is. */
const SHORTEST_CORE = 8;

/**
 * What is the same in the base64 of every text that holds these bytes, for each of the three ways in which they can fall into groups of
 * three bytes; in both alphabets (RFC 4648 sections 4 and 5).
 */
function base64Cores(bytes: string): string[] {
  const cores = new Set<string>();
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.from('\0'.repeat(offset) + bytes, 'latin1').toString('base64');
    const core = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    if (core.length < SHORTEST_CORE) continue;
    cores.add(core);
    cores.add(core.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return [...cores];
}

/** JSON as many programs write it: everything beyond ASCII as `\uXXXX`. */
function escapedUnicode(bytes: string): string[] {
  if (!/[\x80-\xff]/.test(bytes)) return [];
  const text = JSON.stringify(Buffer.from(bytes, 'latin1').toString()).slice(1, -1);
  const escaped = (upper: boolean) =>
    text.replace(/[^\x00-\x7f]/g, (char) => {
      const digits = char.charCodeAt(0).toString(16).padStart(4, '0');
      return `\\u${upper ? digits.toUpperCase() : digits}`;
    });
  return [...new Set([escaped(false), escaped(true)])];
}

function quickSource({ codes, exact }: Pattern): string {
  return codes
    .slice(0, QUICK)
    .map((alternatives) => {
      const writings = alternatives.map(charSource);
      if (exact) return writings.join('');
      for (const code of alternatives) {
        const digits = hexSource(code);
        writings.push(`%(?:25){0,${PERCENT_DEPTH}}${digits}`, `\\\\u00${digits}`);
        if (code === 0x20) writings.push('\\+');
        if (code === 0x09) writings.push('\\\\t');
        if (code === 0x22 || code === 0x2f || code === BACKSLASH) writings.push(`\\\\${charSource(code)}`);
      }
      return `(?:${writings.join('|')})`;
    })
    .join('');
}

const charSource = (code: number): string => `\\x${code.toString(16).padStart(2, '0')}`;

const hexSource = (code: number): string =>
  [...code.toString(16).padStart(2, '0')]
    .map((digit) => (/[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit))
    .join('');
