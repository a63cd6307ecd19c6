import { OpenShellError } from '@openshell/base';

/** What separates segments: `/` in paths, `.` in names; `none` for values that are neither, where `*` matches anything. */
export type Separator = '/' | '.' | 'none';

/** One step of a pattern: a set of characters, once or any number of times. Ranges are inclusive, sorted and disjoint. */
export interface Step {
  readonly ranges: readonly CodeRange[];
  readonly repeat: boolean;
}

/** A piece of a pattern for matching: a text, one character of a class, or a star up to a separator. All of one shape, for speed. */
interface Run {
  readonly kind: 'text' | 'one' | 'star';
  readonly text: string;
  readonly ranges: readonly CodeRange[];
  /** The first code unit of a text. */
  readonly first: number;
  /** The code unit that ends a star; negative where none does. */
  readonly stop: number;
}
export type CodeRange = readonly [from: number, to: number];

/** A compiled pattern: it matches what one of its alternatives matches. */
export interface Glob {
  readonly source: string;
  readonly separator: Separator;
  readonly alternatives: readonly (readonly Step[])[];
  /** The alternatives as they are matched. */
  readonly runs: readonly (readonly Run[])[];
  /** The pattern's text when it is a plain string, which is compared rather than matched. */
  readonly literal: string | undefined;
  /** The text before a final `**` when that is the only wildcard; matched as a prefix. */
  readonly prefix: string | undefined;
}

/** Bounds of one pattern; what exceeds them is refused when the policy is loaded. */
export const GLOB_LIMITS = { length: 1024, alternatives: 64 } as const;

const MAX_CODE = 0x10ffff;
const ANY: readonly CodeRange[] = [[0, MAX_CODE]];

/**
 * Compiles a pattern of the one dialect (docs/policy.md, "Patterns").
 * @throws OpenShellError `bad_glob` with what is wrong and where in the pattern.
 */
export function compileGlob(source: string, separator: Separator): Glob {
  if (source.length > GLOB_LIMITS.length)
    throw badGlob(source.slice(0, 32), `is longer than ${GLOB_LIMITS.length} characters`);
  const alternatives = expandAlternatives(source, separator).map((text) =>
    compileSteps(text, source, separator),
  );
  const steps = alternatives.length === 1 ? alternatives[0]! : undefined;
  const last = steps?.at(-1);
  return {
    source,
    separator,
    alternatives,
    runs: alternatives.map((each) => joinSteps(each, separator)),
    literal: steps && textOf(steps),
    prefix: last?.repeat && last.ranges === ANY ? textOf(steps!.slice(0, -1)) : undefined,
  };
}

/** The pattern that matches exactly this text. */
export const escapeGlob = (text: string): string => text.replaceAll(/[\\*?[\]{}]/g, '\\$&');

/** Whether the text is the pattern's; linear for literals, at worst length times pattern length otherwise. Allocates nothing. */
export function globMatches(glob: Glob, text: string): boolean {
  if (glob.literal !== undefined) return text === glob.literal;
  if (glob.prefix !== undefined) return text.startsWith(glob.prefix);
  for (const runs of glob.runs) if (runsMatch(runs, text)) return true;
  return false;
}

/**
 * Greedy matching that goes back only to the last `*` and the last `**`. That is enough: an earlier star could only let the text
 * between two stars match later, and the later star then has less to do, never more. A `*` that has reached a separator is
 * spent, and the last `**` moves on instead.
 */
function runsMatch(runs: readonly Run[], text: string): boolean {
  const { length } = text;
  let at = 0;
  let run = 0;
  let starRun = -1;
  let starAt = 0;
  let wideRun = -1;
  let wideAt = 0;
  for (;;) {
    const current = runs[run];
    if (current === undefined) {
      if (at === length) return true;
    } else if (current.kind === 'text') {
      // The first character answers most of the time, and asking for it is much cheaper.
      if (text.charCodeAt(at) === current.first && text.startsWith(current.text, at)) {
        at += current.text.length;
        run++;
        continue;
      }
    } else if (current.kind === 'one') {
      if (at < length && accepts(current.ranges, text.codePointAt(at)!)) {
        at += widthAt(text, at);
        run++;
        continue;
      }
    } else {
      if (current.stop < 0) {
        wideRun = run;
        wideAt = at;
        starRun = -1;
      } else {
        starRun = run;
        starAt = at;
      }
      run++;
      continue;
    }
    if (starRun >= 0 && starAt < length && text.charCodeAt(starAt) !== runs[starRun]!.stop) {
      starAt += widthAt(text, starAt);
      at = starAt;
      run = starRun + 1;
    } else if (wideRun >= 0 && wideAt < length) {
      wideAt += widthAt(text, wideAt);
      at = wideAt;
      run = wideRun + 1;
      starRun = -1;
    } else return false;
  }
}

/** How many code units the character takes: two when a high surrogate has its low one. */
function widthAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff && text.codePointAt(at)! > 0xffff ? 2 : 1;
}

function accepts(ranges: readonly CodeRange[], code: number): boolean {
  for (const [from, to] of ranges) if (code >= from && code <= to) return true;
  return false;
}

/** Joins ordinary characters to texts, which are compared in one go. */
function joinSteps(steps: readonly Step[], separator: Separator): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < steps.length; ) {
    const { ranges, repeat } = steps[at]!;
    let end = at;
    while (end < steps.length && isOrdinary(steps[end]!)) end++;
    if (end > at) {
      const text = flatText(steps.slice(at, end));
      runs.push({ kind: 'text', text, ranges, first: text.charCodeAt(0), stop: -1 });
    } else if (!repeat) runs.push({ kind: 'one', text: '', ranges, first: -1, stop: -1 });
    else {
      const stop = ranges === ANY || separator === 'none' ? -1 : separator.charCodeAt(0);
      runs.push({ kind: 'star', text: '', ranges, first: -1, stop });
    }
    at = Math.max(end, at + 1);
  }
  return runs;
}

function textOf(steps: readonly Step[]): string | undefined {
  return steps.every(isOrdinary) ? flatText(steps) : undefined;
}

/** Whether the step is one character and no other. */
const isOrdinary = ({ ranges: [first, second], repeat }: Step): boolean =>
  !repeat && second === undefined && first![0] === first![1];

/** Made in one go: a string that was put together piece by piece stays in pieces, and comparing it is slow. */
const flatText = (steps: readonly Step[]): string =>
  String.fromCodePoint(...steps.map(({ ranges }) => ranges[0]![0]));

/** Writes out braces, and `**` between slashes in its two meanings (no segment, or some): a pattern becomes a list of plain sequences. */
function expandAlternatives(source: string, separator: Separator): string[] {
  let done: string[] = [];
  const open = [source];
  while (open.length > 0) {
    const text = open.pop()!;
    const parts = firstBraces(text, source);
    if (parts) open.push(...parts.options.map((option) => parts.before + option + parts.after).reverse());
    else done.push(text);
    if (open.length + done.length > GLOB_LIMITS.alternatives) throw tooMany(source);
  }
  if (separator === '/') done = done.flatMap((text) => withoutSegments(text, source));
  if (done.length > GLOB_LIMITS.alternatives) throw tooMany(source);
  return done;
}

function withoutSegments(text: string, source: string): string[] {
  const pieces = text.replace(/(?:\/\*\*)+\//g, '/**/').split('/**/');
  if (pieces.length > 7) throw tooMany(source);
  return pieces
    .slice(1)
    .reduce<string[]>(
      (heads, piece) => heads.flatMap((head) => [`${head}/${piece}`, `${head}/**/${piece}`]),
      [pieces[0]!],
    );
}

interface Braces {
  readonly before: string;
  readonly options: readonly string[];
  readonly after: string;
}

/** Finds the first outermost `{a,b}`; escapes and `[...]` hide braces. */
function firstBraces(text: string, source: string): Braces | undefined {
  let depth = 0;
  let start = 0;
  let optionStart = 0;
  const options: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '[') at = classEnd(text, at, source);
    else if (char === '{') {
      if (depth++ === 0) {
        start = at;
        optionStart = at + 1;
      }
    } else if (char === ',' && depth === 1) {
      options.push(text.slice(optionStart, at));
      optionStart = at + 1;
    } else if (char === '}') {
      if (depth === 0) throw badGlob(source, 'has a "}" without "{"');
      if (--depth === 0) {
        options.push(text.slice(optionStart, at));
        return { before: text.slice(0, start), options, after: text.slice(at + 1) };
      }
    }
  }
  if (depth > 0) throw badGlob(source, 'has a "{" without "}"');
  return undefined;
}

function compileSteps(text: string, source: string, separator: Separator): Step[] {
  const segment = separator === 'none' ? ANY : without(ANY, separator.codePointAt(0)!);
  const steps: Step[] = [];
  for (let at = 0; at < text.length; ) {
    const char = text[at]!;
    if (char === '*') {
      const end = endOfStars(text, at);
      steps.push({ ranges: end - at > 1 ? ANY : segment, repeat: true });
      at = end;
    } else if (char === '?') {
      steps.push({ ranges: segment, repeat: false });
      at++;
    } else if (char === '[') {
      const end = classEnd(text, at, source);
      steps.push({ ranges: classRanges(text.slice(at + 1, end), source, separator), repeat: false });
      at = end + 1;
    } else {
      if (char === '\\' && ++at === text.length) throw badGlob(source, 'ends in a backslash');
      const code = text.codePointAt(at)!;
      steps.push({ ranges: [[code, code]], repeat: false });
      at += code > 0xffff ? 2 : 1;
    }
  }
  return steps;
}

function endOfStars(text: string, at: number): number {
  while (text[at] === '*') at++;
  return at;
}

/** Where a class ends. A `]` that comes first is a member, as in POSIX brackets. */
function classEnd(text: string, start: number, source: string): number {
  const first = start + (text[start + 1] === '!' || text[start + 1] === '^' ? 2 : 1);
  const end = text.indexOf(']', first + 1);
  if (end < 0) throw badGlob(source, 'has a "[" without "]"');
  return end;
}

function classRanges(body: string, source: string, separator: Separator): CodeRange[] {
  const negated = body[0] === '!' || body[0] === '^';
  const codes = [...(negated ? body.slice(1) : body)].map((char) => char.codePointAt(0)!);
  const members: CodeRange[] = [];
  for (let at = 0; at < codes.length; at++) {
    const isRange = codes[at + 1] === 0x2d && at + 2 < codes.length;
    const to = isRange ? codes[at + 2]! : codes[at]!;
    if (to < codes[at]!) throw badGlob(source, 'has a range whose end is before its start');
    members.push([codes[at]!, to]);
    if (isRange) at += 2;
  }
  const ranges = negated ? complement(members) : members;
  const allowed = separator === 'none' ? ranges : without(ranges, separator.codePointAt(0)!);
  if (allowed.length === 0) throw badGlob(source, 'has a class that nothing can match');
  return allowed;
}

const complement = (ranges: readonly CodeRange[]): CodeRange[] =>
  ranges.reduce<CodeRange[]>((rest, [from, to]) => cut(rest, from, to), [...ANY]);

const without = (ranges: readonly CodeRange[], code: number): CodeRange[] => cut(ranges, code, code);

function cut(ranges: readonly CodeRange[], from: number, to: number): CodeRange[] {
  return ranges.flatMap(([low, high]): CodeRange[] => {
    if (high < from || low > to) return [[low, high]];
    const kept: CodeRange[] = [];
    if (low < from) kept.push([low, from - 1]);
    if (high > to) kept.push([to + 1, high]);
    return kept;
  });
}

const tooMany = (source: string): OpenShellError =>
  badGlob(source, `means more than ${GLOB_LIMITS.alternatives} alternatives`);

const badGlob = (source: string, what: string): OpenShellError =>
  new OpenShellError(`The pattern "${source}" ${what}.`, {
    code: 'bad_glob',
    remedy: 'Write a simpler pattern; a backslash makes the next character an ordinary one.',
  });
