import type { Sandbox } from '@openshell/runtime';

/** After --timeout's SIGTERM, how long the command may take to end by itself, in milliseconds. */
const TIMEOUT_GRACE_MS = 2000;
const SIGTERM = 15;

/** Ends the command when its time is up. `expired` tells whether that happened. */
export class Deadline implements Disposable {
  expired = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(seconds: number | undefined, sandbox: Sandbox) {
    if (seconds === undefined) return;
    const expire = (): void => {
      this.expired = true;
      sandbox.signal(SIGTERM, 'group');
      this.#timers.push(setTimeout(() => sandbox.kill(), TIMEOUT_GRACE_MS));
    };
    this.#timers.push(setTimeout(expire, seconds * 1000));
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
