import { findingEvent, type SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Counters } from './counters.ts';

export interface EventGateOptions {
  readonly sandbox: SandboxId;
  readonly perSecond: number;
  readonly counters: Counters;
  /** Takes what passes. `false`: it had no room. */
  readonly events: (event: SecurityEvent) => unknown;
  /** Milliseconds that only grow; for tests. */
  readonly now?: () => number;
}

/** The finding that tells how many events did not pass. */
export const EVENTS_LOST_UID = 'events-lost';

const SECOND = 1000;

/**
 * Lets so many events a second pass, so that one sandbox cannot drown the record of the others. Those beyond it are counted, and
 * their number is reported once some may pass again. The clock is read once for so many events, not for each.
 */
export class EventGate {
  readonly #options: EventGateOptions;
  readonly #now: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #passed = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #open = false;

  constructor(options: EventGateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** False: it is lost, and counted as such. */
  readonly pass = (event: SecurityEvent): boolean => {
    if (!this.#admit()) {
      this.#lose();
      return false;
    }
    const taken = this.#give(event);
    if (!taken) this.#options.counters.eventsLost += 1;
    return taken;
  };

  /** The same for what is offered again where it did not pass: it is not lost. */
  readonly offer = (event: SecurityEvent): boolean => this.#admit() && this.#give(event);

  /** From now on everything passes: these are the last words. Reports what was lost. */
  close(): void {
    this.#open = true;
    this.#report();
  }

  #admit(): boolean {
    const { perSecond } = this.#options;
    if (this.#open || this.#passed < perSecond) {
      this.#passed += 1;
      return true;
    }
    const now = this.#now();
    if (now - this.#windowStart < SECOND) return false;
    this.#windowStart = now;
    this.#passed = 1;
    this.#report();
    return true;
  }

  #give(event: SecurityEvent): boolean {
    const { counters, events } = this.#options;
    if (events(event) === false) return false;
    counters.events += 1;
    return true;
  }

  #lose(): void {
    this.#options.counters.eventsLost += 1;
    this.#lost += 1;
    // A sandbox that falls silent must not leave its losses untold.
    this.#timer ??= setTimeout(() => this.#report(), SECOND).unref();
  }

  #report(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const count = this.#lost;
    if (count === 0) return;
    this.#lost = 0;
    const { sandbox, perSecond } = this.#options;
    this.#give(
      findingEvent({
        sandbox,
        uid: EVENTS_LOST_UID,
        title: `${count} events were not recorded`,
        description: `the sandbox made more than ${perSecond} events a second`,
        severity: 'high',
        count,
        unmapped: { count, limit: perSecond },
      }),
    );
  }
}
