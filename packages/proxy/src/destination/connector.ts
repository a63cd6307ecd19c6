import { isIPv6, type Socket } from 'node:net';
import { messageOf } from '@openshell/base';
import type { Limits } from '../limits.ts';
import type { Target } from './plan.ts';
import { Upstream } from './upstream.ts';

export type DialResult<Kind = Upstream> =
  | { readonly kind: 'connected'; readonly upstream: Kind }
  | {
      readonly kind: 'failed';
      readonly code: 'upstream_unreachable' | 'upstream_timeout' | 'aborted';
      readonly detail: string;
    };

/**
 * Connects to the first of the addresses that answers. IPv6 and IPv4 take turns and each gets a head start over the
 * next (RFC 8305 sections 4 and 5). Never throws.
 */
export function dial(targets: readonly Target[], limits: Limits, signal: AbortSignal): Promise<DialResult> {
  return dialWith((target) => new Upstream(target), targets, limits, signal);
}

/** The same, with the connections begun by `open`. */
export function dialWith<Kind extends Dialled>(
  open: (target: Target) => Kind,
  targets: readonly Target[],
  limits: Limits,
  signal: AbortSignal,
): Promise<DialResult<Kind>> {
  return new Dialling(open, interleaved(targets), limits, signal).result;
}

interface Dialled {
  readonly socket: Socket;
}

/** First the family of the first address, then in turns; the order within a family stays. */
export function interleaved(targets: readonly Target[]): Target[] {
  const leads = targets[0] !== undefined && isIPv6(targets[0].address);
  const first = targets.filter(({ address }) => isIPv6(address) === leads);
  const second = targets.filter(({ address }) => isIPv6(address) !== leads);
  const order: Target[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (first[i] !== undefined) order.push(first[i]!);
    if (second[i] !== undefined) order.push(second[i]!);
  }
  return order;
}

class Dialling<Kind extends Dialled> {
  readonly result: Promise<DialResult<Kind>>;
  readonly #resolve: (result: DialResult<Kind>) => void;
  readonly #open: (target: Target) => Kind;
  readonly #waiting: Target[];
  readonly #limits: Limits;
  readonly #signal: AbortSignal;
  readonly #attempts = new Map<Kind, NodeJS.Timeout>();
  readonly #total: NodeJS.Timeout;
  readonly #onAbort = (): void =>
    this.#settle({ kind: 'failed', code: 'aborted', detail: messageOf(this.#signal.reason) });
  readonly #failures: string[] = [];
  #timedOut = false;
  #stagger: NodeJS.Timeout | undefined;

  constructor(open: (target: Target) => Kind, targets: Target[], limits: Limits, signal: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<DialResult<Kind>>();
    this.#open = open;
    this.result = promise;
    this.#resolve = resolve;
    this.#waiting = targets;
    this.#limits = limits;
    this.#signal = signal;
    this.#total = setTimeout(() => this.#giveUp(), limits.dialTotalTime);
    if (signal.aborted) this.#onAbort();
    else {
      signal.addEventListener('abort', this.#onAbort);
      this.#next();
    }
  }

  #next(): void {
    clearTimeout(this.#stagger);
    const target = this.#waiting.shift();
    if (target !== undefined) this.#attempt(target);
    else if (this.#attempts.size === 0) this.#fail();
    if (this.#waiting.length > 0) this.#stagger = setTimeout(() => this.#next(), this.#limits.dialStagger);
  }

  #attempt(target: Target): void {
    const upstream = this.#open(target);
    const { socket } = upstream;
    const timer = setTimeout(() => {
      this.#timedOut = true;
      socket.destroy(new Error(`no connection within ${this.#limits.dialTime} ms`));
    }, this.#limits.dialTime);
    this.#attempts.set(upstream, timer);
    socket.once('connect', () => {
      socket.off('error', onError);
      this.#drop(upstream);
      this.#settle({ kind: 'connected', upstream });
    });
    const onError = (error: Error): void => {
      this.#failures.push(`${target.address}: ${messageOf(error)}`);
      this.#drop(upstream);
      this.#next();
    };
    socket.on('error', onError);
  }

  #drop(upstream: Kind): void {
    clearTimeout(this.#attempts.get(upstream));
    this.#attempts.delete(upstream);
  }

  #giveUp(): void {
    this.#timedOut = true;
    this.#failures.push(`no connection within ${this.#limits.dialTotalTime} ms`);
    this.#fail();
  }

  #fail(): void {
    const code = this.#timedOut ? 'upstream_timeout' : 'upstream_unreachable';
    this.#settle({
      kind: 'failed',
      code,
      detail: this.#failures.join('; ') || 'there is no address to dial',
    });
  }

  #settle(result: DialResult<Kind>): void {
    clearTimeout(this.#total);
    clearTimeout(this.#stagger);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#waiting.length = 0;
    for (const [{ socket }, timer] of this.#attempts) {
      clearTimeout(timer);
      socket.removeAllListeners('connect');
      socket.removeAllListeners('error');
      socket.on('error', () => {});
      socket.destroy();
    }
    this.#attempts.clear();
    this.#resolve(result);
  }
}
