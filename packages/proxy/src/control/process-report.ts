import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { WorkerReport } from '@openshell/control';

/** How often the loop is looked at, in ms; its lateness is what a look takes longer. */
const RESOLUTION_MS = 20;
/** How long the same lateness is shown, so that several who ask see the same. */
const WINDOW_MS = 10_000;

/** What this process uses. The event loop is watched from the first question on. */
export class ProcessReport implements Disposable {
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #since = 0;

  /** `connections`: open in all tenants. */
  worker(connections: number): WorkerReport {
    const { user, system } = process.cpuUsage();
    return {
      index: 0,
      pid: process.pid,
      restarts: 0,
      connections,
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      eventLoopLagMs: this.#lagMs(),
      openFiles: openFiles(),
    };
  }

  [Symbol.dispose](): void {
    this.#delay?.disable();
    this.#delay = undefined;
  }

  #lagMs(): number {
    const now = performance.now();
    if (this.#delay === undefined) {
      this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      this.#delay.enable();
      this.#since = now;
      return 0;
    }
    const lag = Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION_MS);
    if (now - this.#since > WINDOW_MS) {
      this.#delay.reset();
      this.#since = now;
    }
    return lag;
  }
}

/** Descriptors in use. 0 where the system does not say, as it does when there are none left to ask with. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
