import { OpenShellError } from '@openshell/base';
import type { LinkGeneration } from '@openshell/control/link';
import { isFinal, type LinkState } from './proxy-link.ts';

export interface ReadinessOptions {
  /** `policyHash` of the sandbox's own policy; absent: whatever the proxy enforces will do. */
  readonly policyHash: string | undefined;
  /** Told what is waited for, each time that it is something else. */
  readonly onWaiting: (why: string) => void;
}

/** Waits until the proxy enforces what the sandbox was made for: a workload must never run under another policy than its own, or under none. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #done = Promise.withResolvers<LinkGeneration>();
  #why = 'there was no answer yet';
  #error: OpenShellError | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.#done.promise.catch(() => {}); // whoever waits hears of it
  }

  enter(state: LinkState): void {
    switch (state.kind) {
      case 'lost':
        if (state.error === undefined) return;
        this.#error = state.error;
        if (isFinal(state.error)) this.#done.reject(state.error);
        else this.#wait(state.error.message);
        return;
      case 'waiting':
        this.#error = undefined;
        this.#wait(state.why);
        return;
      case 'ready': {
        this.#error = undefined;
        const { policyHash } = this.#options;
        if (policyHash === undefined || policyHash === state.policyHash) this.#done.resolve(state);
        else
          this.#wait(
            `the proxy enforces policy ${short(state.policyHash)}, and this sandbox is for ${short(policyHash)}`,
          );
        return;
      }
      default:
        state satisfies never;
    }
  }

  /** @throws OpenShellError `proxy_not_ready` after this many seconds, or what makes waiting useless. */
  async within(seconds: number): Promise<LinkGeneration> {
    const over = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const remedy =
        this.#error?.remedy ?? 'Give the proxy the policy of this sandbox, or wait longer with --wait.';
      over.reject(
        new OpenShellError(`the proxy is not ready for this sandbox after ${seconds} s: ${this.#why}`, {
          code: 'proxy_not_ready',
          remedy,
        }),
      );
    }, seconds * 1000);
    try {
      return await Promise.race([this.#done.promise, over.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #wait(why: string): void {
    if (why === this.#why) return;
    this.#why = why;
    this.#options.onWaiting(why);
  }
}

/** Enough of a hash to compare by eye. */
const short = (hash: string): string => hash.slice(0, 12);
