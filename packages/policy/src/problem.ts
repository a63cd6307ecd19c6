/** Where something stands in a policy: keys and positions from the top of the file. */
export type PolicyPath = readonly (string | number)[];

/** A place in a file; both numbers count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What a reader of the file should know. */
export interface Finding extends Partial<Position> {
  /** Stable; lower case with underscores. */
  readonly code: string;
  /** What is so, in words. */
  readonly message: string;
  /** What to write instead, or what to do. */
  readonly fix: string;
  readonly file?: string;
  /** As in `network_policies.github.endpoints[0].host`. */
  readonly path: string;
}

/** Why a policy is refused. */
export type Problem = Finding & { readonly severity: 'problem' };

/** What a reader should know about a policy that is accepted. */
export type Notice = Finding & { readonly severity: 'notice' };

/** Finds the place of a key or value in the text that a policy was read from. */
export interface PolicySource {
  readonly file?: string;
  /** The place of the value, of its key, or of the nearest thing around it that exists. */
  locate(path: PolicyPath, part?: 'key' | 'value'): Position | undefined;
}

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Writes a path the way that problems show it. Keys that are not plain words are quoted. */
export function formatPath(path: PolicyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** One line for a terminal: `policy.yaml:4:7: path: message fix`. */
export function formatFinding(finding: Finding): string {
  const place = [finding.file, finding.line, finding.column].filter((part) => part !== undefined).join(':');
  return [place, finding.path, `${finding.message} ${finding.fix}`].filter((part) => part !== '').join(': ');
}

/** What a check says; the collector adds where. */
export interface Remark {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  /** Whether the key rather than its value is wrong. */
  readonly on?: 'key' | 'value';
}

/** Gathers what reading and checking find, with a bound: a broken file must not make an endless report. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly notices: Notice[] = [];
  readonly #source: PolicySource;
  readonly #limit: number;

  constructor(source: PolicySource, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  get full(): boolean {
    return this.problems.length >= this.#limit;
  }

  problem(path: PolicyPath, remark: Remark): void {
    if (!this.full) this.problems.push({ ...this.#place(path, remark), severity: 'problem' });
  }

  notice(path: PolicyPath, remark: Remark): void {
    if (this.notices.length < this.#limit)
      this.notices.push({ ...this.#place(path, remark), severity: 'notice' });
  }

  #place(path: PolicyPath, { on, ...rest }: Remark): Finding {
    const file = this.#source.file;
    return {
      ...rest,
      ...(file === undefined ? {} : { file }),
      path: formatPath(path),
      ...this.#source.locate(path, on),
    };
  }
}
