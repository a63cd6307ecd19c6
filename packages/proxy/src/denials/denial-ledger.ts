import type { Limits } from '../limits.ts';
import type { DenialCount, DenialKind, DenialSample, DenialSubject } from './denial.ts';

export interface DenialLedgerOptions {
  readonly limits: Pick<
    Limits,
    'denialWindow' | 'denialKinds' | 'denialEvents' | 'denialSamples' | 'denialSampleLength'
  >;
  /** Reports one kind. False, or thrown: it was not taken, and is offered again with what came in between. */
  readonly emit: (count: DenialCount) => boolean;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

export interface AddOptions {
  /** It has an event whatever the ledger says. */
  readonly told?: boolean;
}

interface Entry {
  readonly kind: DenialKind | undefined;
  count: number;
  told: number;
  /** Events of their own in this window. */
  events: number;
  readonly first: number;
  last: number;
  readonly samples: Map<string, { readonly subject: DenialSubject; count: number }>;
}

/** In the place of a kind for all those beyond the bound. */
const REST = '';

/** Counts denials by kind, and reports each kind once in a window. Bounded whatever the sandbox does; nothing is lost silently. */
export class DenialLedger {
  readonly #options: DenialLedgerOptions;
  readonly #now: () => number;
  #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DenialLedgerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Whether this denial is to have an event of its own: a loop of refused requests must not bury what else is reported. */
  add(kind: DenialKind, subject?: DenialSubject, { told = false }: AddOptions = {}): boolean {
    const { limits } = this.#options;
    const entry = this.#entryFor(kind);
    entry.count += 1;
    // A clock that was set back must not put the last before the first.
    entry.last = Math.max(entry.first, this.#now());
    if (subject !== undefined && entry.kind !== undefined) this.#sample(entry, subject);
    const own = told || entry.events < limits.denialEvents;
    if (own) {
      entry.told += 1;
      entry.events += 1;
    }
    if (!this.#closed) this.#timer ??= setTimeout(() => this.flush(), limits.denialWindow).unref();
    return own;
  }

  /** Reports what was counted, and begins afresh with what was taken. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#entries;
    this.#entries = new Map();
    for (const [key, entry] of entries) if (!this.#report(entry)) this.#keep(key, entry);
    if (this.#entries.size > 0 && !this.#closed)
      this.#timer ??= setTimeout(() => this.flush(), this.#options.limits.denialWindow).unref();
  }

  /** The last flush. */
  close(): void {
    this.#closed = true;
    this.flush();
  }

  #entryFor(kind: DenialKind): Entry {
    const key = keyOf(kind);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    // One place is for the rest.
    const fits = this.#entries.size < this.#options.limits.denialKinds - 1;
    return fits ? this.#begin(key, kind) : (this.#entries.get(REST) ?? this.#begin(REST, undefined));
  }

  #begin(key: string, kind: DenialKind | undefined): Entry {
    const now = this.#now();
    const entry: Entry = { kind, count: 0, told: 0, events: 0, first: now, last: now, samples: new Map() };
    this.#entries.set(key, entry);
    return entry;
  }

  /** What is too long to keep is left out whole: half of a path is another path. */
  #sample({ samples }: Entry, subject: DenialSubject, count = 1): void {
    const { denialSamples, denialSampleLength } = this.#options.limits;
    const key = JSON.stringify(subject);
    const known = samples.get(key);
    if (known !== undefined) known.count += count;
    else if (samples.size < denialSamples && key.length <= denialSampleLength)
      samples.set(key, { subject, count });
  }

  #report({ kind, count, told, first, last, samples }: Entry): boolean {
    const shown: DenialSample[] = [...samples.values()].map(({ subject, count }) => ({ ...subject, count }));
    try {
      return this.#options.emit({ kind, count, told, first, last, samples: shown });
    } catch {
      // Whoever takes reports says itself what is wrong with it; here it means that this one is still to be made.
      return false;
    }
  }

  /** Puts back what was not taken. Meanwhile something of its kind may have come. */
  #keep(key: string, entry: Entry): void {
    entry.events = 0;
    const later = this.#entries.get(key);
    this.#entries.set(key, entry);
    if (later === undefined) return;
    entry.count += later.count;
    entry.told += later.told;
    entry.events = later.events;
    entry.last = later.last;
    for (const { subject, count } of later.samples.values()) this.#sample(entry, subject, count);
  }
}

const keyOf = ({ stage, binary, host, port, code, rule, from }: DenialKind): string =>
  `${stage}\0${binary ?? ''}\0${host}\0${port}\0${code}\0${rule ?? ''}\0${from ?? ''}`;
