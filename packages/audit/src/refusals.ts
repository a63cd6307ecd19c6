import type { Correlation } from './correlation.ts';
import { baseName } from './objects.ts';
import { plainText, truncated } from './text.ts';

/** Something that a sandbox wanted and did not get, as its owner should hear of it. */
export interface Refusal extends Correlation {
  /** Stable: `no_policy`, `binary_not_allowed`, `private_address`, ... */
  readonly code: string;
  /** Path of the executable inside the sandbox, where it is known. */
  readonly binary?: string | undefined;
  readonly host: string;
  /** Absent for a name lookup. */
  readonly port?: number | undefined;
  /** Where the connection was allowed and this was not: `PUT /repos/x`. Never a query. */
  readonly subject?: string | undefined;
  readonly reason: string;
  /** What to change so that it would be allowed. */
  readonly remedy?: string | undefined;
}

export interface RefusalReporterOptions {
  /** Writes one line, without its line end. `about`: what it belongs to; of several alike, the first. */
  readonly write: (line: string, about: Correlation) => void;
  readonly color?: boolean | undefined;
  /** Milliseconds since some moment; for tests. */
  readonly now?: (() => number) | undefined;
}

/** Lines in a burst; then one line each `REFILL_MS`. A program in a retry loop must not bury the others. */
const BURST = 20;
const REFILL_MS = 500;
/** Different refusals remembered. Those beyond are only counted. */
const MAX_KINDS = 1024;
const MAX_SUMMARY_LINES = 20;
const FIELD_BYTES = 512;

interface Kind {
  readonly refusal: Refusal;
  told: boolean;
  /** Happened again and was not told. */
  more: number;
}

/** Tells the person what was refused: each kind once when it happens, and how often again at the end. */
export class RefusalReporter {
  readonly #write: RefusalReporterOptions['write'];
  readonly #color: boolean;
  readonly #now: () => number;
  readonly #kinds = new Map<string, Kind>();
  #untracked = 0;
  #tokens = BURST;
  #refilledAt: number;

  constructor({ write, color = false, now = () => performance.now() }: RefusalReporterOptions) {
    this.#write = write;
    this.#color = color;
    this.#now = now;
    this.#refilledAt = now();
  }

  report(refusal: Refusal): void {
    const key = `${refusal.binary ?? ''}\0${refusal.host}\0${refusal.port ?? ''}\0${refusal.code}\0${refusal.subject ?? ''}`;
    const kind = this.#kinds.get(key) ?? this.#remember(key, refusal);
    if (kind === undefined) {
      this.#untracked += 1;
    } else if (!kind.told && this.#mayWrite()) {
      kind.told = true;
      this.#write(this.#line(refusal), refusal);
    } else {
      kind.more += 1;
    }
  }

  /** Says how often each refusal happened again. The reporter starts afresh afterwards. */
  close(): void {
    const repeated = [...this.#kinds.values()].filter((kind) => kind.more > 0);
    for (const kind of repeated.slice(0, MAX_SUMMARY_LINES)) this.#write(this.#summary(kind), kind.refusal);
    const rest = repeated.slice(MAX_SUMMARY_LINES).reduce((sum, kind) => sum + kind.more, this.#untracked);
    if (rest > 0) this.#write(`${this.#mark()} ... and ${rest} more to other destinations`, {});
    this.#kinds.clear();
    this.#untracked = 0;
  }

  #remember(key: string, refusal: Refusal): Kind | undefined {
    if (this.#kinds.size >= MAX_KINDS) return undefined;
    const kind: Kind = { refusal, told: false, more: 0 };
    this.#kinds.set(key, kind);
    return kind;
  }

  #mayWrite(): boolean {
    const steps = Math.floor((this.#now() - this.#refilledAt) / REFILL_MS);
    if (steps > 0) {
      this.#tokens = Math.min(BURST, this.#tokens + steps);
      this.#refilledAt += steps * REFILL_MS;
    }
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  #mark(): string {
    return this.#color ? '\u001b[31mopenshell:\u001b[0m' : 'openshell:';
  }

  #line(refusal: Refusal): string {
    const reason = clean(refusal.reason).replace(/\.$/, '');
    const remedy = refusal.remedy === undefined ? '' : `. ${clean(refusal.remedy)}`;
    // Most reasons say it already.
    const what =
      refusal.subject !== undefined && refusal.reason.includes(refusal.subject) ? '' : subject(refusal);
    return `${this.#mark()} refused ${who(refusal)}${where(refusal)}${what}: ${reason}${remedy}`;
  }

  #summary({ refusal, told, more }: Kind): string {
    if (!told) return `${this.#line(refusal)} (${more} ${more === 1 ? 'time' : 'times'})`;
    return `${this.#mark()} refused ${who(refusal)}${where(refusal)}${subject(refusal)} ... and ${more} more like it`;
  }
}

const clean = (text: string): string => truncated(plainText(text), FIELD_BYTES);

function who({ binary }: Refusal): string {
  return binary === undefined ? '' : `${clean(baseName(binary))} (${clean(binary)}) -> `;
}

function where({ host, port }: Refusal): string {
  const shown = host.includes(':') ? `[${clean(host)}]` : clean(host);
  return port === undefined ? shown : `${shown}:${port}`;
}

const subject = (refusal: Refusal): string =>
  refusal.subject === undefined ? '' : ` ${clean(refusal.subject)}`;
