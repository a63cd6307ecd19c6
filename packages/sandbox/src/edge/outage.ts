import { configEvent, type SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import { type ProxyAddress, shown } from './dial.ts';
import type { LinkState } from './proxy-link.ts';

export interface OutageOptions {
  readonly id: SandboxId;
  readonly proxy: ProxyAddress;
  /** For the person; one line each. */
  readonly say: (line: string) => void;
  readonly events: (event: SecurityEvent) => void;
}

/** Says once that the running sandbox has no way out, and once that it has one again; and what has changed at the proxy. */
export class Outage {
  readonly #options: OutageOptions;
  #down = false;
  #generation: number | undefined;
  #authority: string | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  enter(state: LinkState): void {
    switch (state.kind) {
      case 'lost':
        this.#lost(state.error?.message ?? 'it is not connected');
        break;
      case 'waiting':
        this.#lost(state.why);
        break;
      case 'ready':
        this.#ready(state);
        break;
      default:
        state satisfies never;
    }
  }

  #lost(why: string): void {
    if (this.#down) return;
    this.#down = true;
    const message = `connections are refused until the proxy is back: ${why}`;
    this.#options.say(`openshell: ${message}`);
    this.#event('proxy_lost', message, 'medium');
  }

  #ready({ generation, authorityPem }: Extract<LinkState, { kind: 'ready' }>): void {
    if (this.#down) {
      this.#down = false;
      const message = `the proxy at ${shown(this.#options.proxy)} is back: connections are decided by it again`;
      this.#options.say(`openshell: ${message}`);
      this.#event('proxy_back', message, 'info');
    }
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#event('loaded', `generation ${generation} of the proxy is in force`, 'info');
    }
    this.#authority ??= authorityPem;
    if (authorityPem === this.#authority) return;
    this.#authority = authorityPem;
    const message =
      'the proxy has other certificate authorities now, and this sandbox has the files of its start: start it again before the old ones are retired';
    this.#options.say(`openshell: ${message}`);
    this.#event('authority_changed', message, 'low');
  }

  #event(state: string, message: string, severity: 'info' | 'low' | 'medium'): void {
    this.#options.events(configEvent({ sandbox: this.#options.id, state, message, severity }));
  }
}
