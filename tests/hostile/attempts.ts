/** One line of `escape --list`, or of a script with the same interface. */
export interface Attempt {
  readonly name: string;
  readonly what: string;
  /** Reasons that count as properly refused. */
  readonly expected: readonly string[];
}

export type Verdict =
  | { readonly kind: 'refused'; readonly reason: string; readonly line: string }
  | { readonly kind: 'escaped'; readonly line: string }
  | { readonly kind: 'unsupported'; readonly why: string }
  /** It said nothing that we know: then it may have taken the sandbox with it. */
  | { readonly kind: 'silent'; readonly line: string };

/** Reads `name TAB what TAB reasons` lines. */
export const readList = (text: string): Attempt[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [name = '', what = '', expected = ''] = line.split('\t');
      return { name, what, expected: expected.split(' ').filter(Boolean) };
    });

/** Before each attempt `drive` writes this mark and its name. */
const MARK = '\u0001attempt ';

/**
 * What a sandboxed shell runs: each line of standard input is one attempt's name and the command that makes it. The shell
 * itself starts it, so that no command line but the attempt's own holds what the attempt looks for.
 */
export const DRIVER = `
while IFS='	' read -r name command; do
  printf '\\001attempt %s\\n' "$name"
  eval "$command" </dev/null 2>&1
done
printf '\\001attempt end\\n'
`;

/** What one attempt wrote, as its verdict. */
export const readVerdict = (text: string): Verdict => {
  const lines = text.split('\n').filter(Boolean);
  const line = lines.findLast((candidate) => /^(refused|ESCAPED|unsupported): /.test(candidate));
  if (line === undefined) return { kind: 'silent', line: lines.join(' | ') };
  if (lines.some((candidate) => candidate.startsWith('ESCAPED: '))) return { kind: 'escaped', line };
  const [word, reason = ''] = line.split(' ');
  return word === 'refused:'
    ? { kind: 'refused', reason, line }
    : { kind: 'unsupported', why: line.slice(13) };
};

/** The driver's output as a verdict for each attempt that it came to. */
export const readVerdicts = (output: string): ReadonlyMap<string, Verdict> => {
  const verdicts = new Map<string, Verdict>();
  for (const part of output.split(MARK).slice(1)) {
    const end = part.indexOf('\n');
    verdicts.set(part.slice(0, end), readVerdict(part.slice(end + 1)));
  }
  return verdicts;
};
