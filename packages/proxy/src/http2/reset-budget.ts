import type { Limits } from '../limits.ts';

/**
 * How many streams of a connection may still end by a reset, whoever sends it: a client that opens and resets makes work without ever
 * reaching the bound of open streams (CVE-2023-44487), and one that makes the server reset does the same (CVE-2025-8671).
 * nghttp2 counts too, but only stops at the end of what it has read.
 */
export class ResetBudget {
  readonly #limits: Pick<Limits, 'http2ResetBurst' | 'http2ResetRate'>;
  #left: number;
  #since: number;

  constructor(limits: Pick<Limits, 'http2ResetBurst' | 'http2ResetRate'>, now: number) {
    this.#limits = limits;
    this.#left = limits.http2ResetBurst;
    this.#since = now;
  }

  /** Takes one at this time, in ms of a clock that never goes back. False: there are none left. */
  spend(now: number): boolean {
    const { http2ResetBurst, http2ResetRate } = this.#limits;
    const refilled = this.#left + ((now - this.#since) / 1000) * http2ResetRate;
    this.#left = Math.min(http2ResetBurst, refilled) - 1;
    this.#since = now;
    return this.#left >= 0;
  }
}
