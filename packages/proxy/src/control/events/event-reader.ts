import type { SandboxId } from '@openshell/base';
import type { ControlEvent, EventQuery } from '@openshell/control';
import type { EventLog, LoggedEvent } from './event-log.ts';
import { isDenial } from './is-denial.ts';

/**
 * What a query asks for. A reader holds a place in the log and no events, so one that reads slowly costs nothing and is told what it
 * has missed. Ends with `signal`.
 */
export async function* readEvents(log: EventLog, query: EventQuery): AsyncGenerator<ControlEvent> {
  const reader = new EventReader(log, query);
  const { follow, signal } = query;
  while (!signal?.aborted) {
    const event = reader.next();
    if (event !== undefined) yield event;
    else if (follow) await nextEvent(log, signal);
    else return;
  }
}

class EventReader {
  readonly #log: EventLog;
  readonly #tenants: ReadonlySet<SandboxId> | undefined;
  readonly #denialsOnly: boolean;
  /** The number up to which everything was read. */
  #seen: number;
  #last: LoggedEvent | undefined;
  /** Events that are gone up to this number were told as a gap. */
  #told: number;
  /** The place to begin at was of another proxy. */
  #foreign = false;

  constructor(log: EventLog, { after, tenants, denialsOnly = false }: EventQuery) {
    this.#log = log;
    this.#tenants = tenants && new Set(tenants);
    this.#denialsOnly = denialsOnly;
    this.#seen = after?.sequence ?? log.lastSequence;
    if (after !== undefined && (after.instance !== log.instance || after.sequence > log.lastSequence)) {
      this.#foreign = true;
      this.#seen = 0;
    }
    this.#told = this.#seen;
  }

  /** The next event that was asked for, or the gap before it. Undefined: there is none yet. */
  next(): ControlEvent | undefined {
    let entry = this.#log.after(this.#seen, this.#last);
    const gap = this.#gapBefore(entry);
    if (gap !== undefined) return gap;
    while (entry !== undefined && !this.#wants(entry)) {
      this.#last = entry;
      this.#seen = entry.sequence;
      entry = entry.later;
    }
    if (entry?.event === undefined) return undefined;
    this.#last = entry;
    this.#seen = entry.sequence;
    const { tenant, event, sequence } = entry;
    return { kind: 'event', cursor: this.#cursor(sequence), tenant, event };
  }

  #gapBefore(entry: LoggedEvent | undefined): ControlEvent | undefined {
    const before = (entry?.sequence ?? this.#log.lastSequence + 1) - 1;
    const missing = before - this.#seen;
    if (!this.#foreign && !(this.#wantsAll ? missing > 0 : this.#hasLost())) return undefined;
    const lost = this.#wantsAll && !this.#foreign ? { lost: missing } : {};
    this.#foreign = false;
    this.#seen = before;
    this.#told = this.#log.newestLost;
    return { kind: 'gap', cursor: this.#cursor(before), ...lost };
  }

  /** Whether events that were asked for may be gone, and nothing was said of it. */
  #hasLost(): boolean {
    return (
      this.#log.newestLost > this.#told &&
      this.#log.lostUpTo(this.#tenants) > Math.max(this.#told, this.#seen)
    );
  }

  /** Then each number is an event, and those that are not there can be counted. */
  get #wantsAll(): boolean {
    return this.#tenants === undefined && !this.#denialsOnly;
  }

  #wants({ tenant, event }: LoggedEvent): boolean {
    if (this.#tenants?.has(tenant) === false) return false;
    return !this.#denialsOnly || (event !== undefined && isDenial(event));
  }

  #cursor(sequence: number) {
    return { instance: this.#log.instance, sequence };
  }
}

/** Resolves with the next event, or when nobody waits for it any longer. */
function nextEvent(log: EventLog, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  const forget = log.onAppend(wake);
  signal?.addEventListener('abort', wake, { once: true });
  return promise.finally(() => {
    forget();
    signal?.removeEventListener('abort', wake);
  });
}
