import { MatchAutomaton } from './dfa.ts';
import { type Captures, execute } from './machine.ts';
import { compileProgram, type Program } from './program.ts';
import { type ParsedRegexp, parseRegexp } from './syntax.ts';
import type { Spender } from './work.ts';

/** One match: where it stands (UTF-16 units), and the text of each group, empty where it took no part. */
export interface RegexpMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly string[];
}

/** What bounds a replacement: lengths are in UTF-16 units. */
export interface ReplaceLimits {
  readonly spender: Spender;
  readonly maxLength: number;
}

/** A compiled pattern with the operations of Go's `regexp.Regexp`. */
export class Regexp {
  readonly #parsed: ParsedRegexp;
  readonly #program: Program;
  #automaton: MatchAutomaton | undefined;

  constructor(parsed: ParsedRegexp) {
    this.#parsed = parsed;
    this.#program = compileProgram(parsed);
  }

  /** Whether the pattern matches anywhere in the text. */
  test(text: string, spender: Spender): boolean {
    this.#automaton ??= new MatchAutomaton(this.#program);
    return this.#automaton.test(text, spender);
  }

  /**
   * Matches from left to right that do not overlap, at most `limit` of them. An empty match directly after another
   * match is not one (as Go's `FindAll`).
   */
  *matches(text: string, limit: number, spender: Spender): IterableIterator<RegexpMatch> {
    let position = 0;
    let previousEnd = -1;
    for (let found = 0; found < limit && position <= text.length; ) {
      const captures = execute(this.#program, text, position, spender);
      spender.spend(1);
      if (captures === undefined) return;
      const start = captures[0]!;
      const end = captures[1]!;
      if (end > start || start !== previousEnd) {
        found++;
        yield toMatch(text, captures);
      }
      position = end > position ? end : position + ((text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1);
      previousEnd = end;
    }
  }

  /** Replaces all matches; `$1`, `${name}` and `$$` in the template as in Go's `Expand`. */
  replaceAll(text: string, template: string, { spender, maxLength }: ReplaceLimits): string {
    const parts = parseTemplate(template);
    let result = '';
    let last = 0;
    for (const match of this.matches(text, Infinity, spender)) {
      result += text.slice(last, match.start);
      for (const part of parts) {
        result += typeof part === 'string' ? part : this.#group(match, part.group);
        if (result.length > maxLength) throw new RangeError('result of the replacement is too long');
      }
      spender.spend(parts.length);
      last = match.end;
    }
    return result + text.slice(last);
  }

  /** What stands between matches, as Go's `Split` with no limit. */
  split(text: string, spender: Spender): string[] {
    if (text === '') return [''];
    const pieces: string[] = [];
    let begin = 0;
    let end = 0;
    for (const match of this.matches(text, Infinity, spender)) {
      end = match.start;
      if (match.end !== 0) pieces.push(text.slice(begin, end));
      begin = match.end;
    }
    if (end !== text.length) pieces.push(text.slice(begin));
    return pieces;
  }

  #group(match: RegexpMatch, reference: string): string {
    const index = /^\d+$/.test(reference) ? Number(reference) : this.#parsed.groupNames.indexOf(reference);
    return match.groups[index] ?? '';
  }
}

/**
 * Compiles a pattern of RE2's syntax.
 * @throws Error worded as Go's `regexp.Compile` does
 */
export const compileRegexp = (pattern: string): Regexp => new Regexp(parseRegexp(pattern));

/** A pattern that matches exactly this text: Go's `QuoteMeta`. */
export const quoteRegexp = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

const toMatch = (text: string, captures: Captures): RegexpMatch => {
  const groups: string[] = [];
  for (let slot = 0; slot < captures.length; slot += 2) {
    const start = captures[slot]!;
    groups.push(start < 0 ? '' : text.slice(start, captures[slot + 1]!));
  }
  return { start: captures[0]!, end: captures[1]!, groups };
};

const parseTemplate = (template: string): (string | { group: string })[] => {
  const parts: (string | { group: string })[] = [];
  let last = 0;
  for (const match of template.matchAll(/\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu)) {
    parts.push(template.slice(last, match.index));
    parts.push(match[1] === undefined ? { group: match[2] ?? match[3]! } : '$');
    last = match.index + match[0].length;
  }
  parts.push(template.slice(last));
  return parts;
};
