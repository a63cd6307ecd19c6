import { isIP } from 'node:net';
import { messageOf } from '@openshell/base';
import { type DialResult, dialWith } from '../destination/connector.ts';
import type { DestinationPlan, Target } from '../destination/plan.ts';
import type { Resolver } from '../destination/resolver.ts';
import type { Carrier } from '../destination/upstream.ts';
import type { Limits } from '../limits.ts';
import { type ConnectAnswer, requestTunnel } from './connect-head.ts';
import type { UpstreamProxy } from './upstream-proxy.ts';

export interface ConnectOptions<Kind extends Carrier> {
  /** How a connection is begun; `(target) => new Upstream(target)` for a raw tunnel. */
  readonly open: (target: Target) => Kind;
  /** Canonical. */
  readonly host: string;
  readonly port: number;
  readonly plan: Extract<DestinationPlan, { kind: 'plan' }>;
  readonly proxy?: UpstreamProxy | undefined;
  /** Finds the proxy itself. */
  readonly resolver: Resolver;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

export type ConnectResult<Kind extends Carrier> =
  | {
      readonly kind: 'connected';
      readonly upstream: Kind;
      /** The checked address that the connection leads to, through a proxy or not. */
      readonly target: Target;
    }
  | Extract<DialResult, { kind: 'failed' }>;

type Failure = Extract<ConnectResult<Carrier>, { kind: 'failed' }>;

/**
 * Connects to a destination whose addresses were checked: directly, or through the operator's proxy, where there is one that
 * is meant for it. What the operator gave an address is always dialled directly. A proxy that fails is never gone around. Never throws.
 */
export async function connectUpstream<Kind extends Carrier>(
  options: ConnectOptions<Kind>,
): Promise<ConnectResult<Kind>> {
  const { open, host, port, plan, proxy, limits, signal } = options;
  const { targets } = plan;
  if (proxy !== undefined && !plan.overridden && !proxy.noProxy.covers(host, port, targets)) {
    return new ProxiedConnect(options, proxy).run();
  }
  const dialled = await dialWith(open, targets, limits, signal);
  return dialled.kind === 'failed' ? dialled : { ...dialled, target: dialled.upstream.target };
}

/** A destination that the proxy reports as not reachable may be reachable at its next address. */
const TRY_NEXT = new Set([502, 503, 504]);

class ProxiedConnect<Kind extends Carrier> {
  readonly #options: ConnectOptions<Kind>;
  readonly #proxy: UpstreamProxy;

  constructor(options: ConnectOptions<Kind>, proxy: UpstreamProxy) {
    this.#options = options;
    this.#proxy = proxy;
  }

  async run(): Promise<ConnectResult<Kind>> {
    const { limits, signal } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error('the time is up')), limits.proxyTime);
    const either = AbortSignal.any([signal, late.signal]);
    try {
      const result = await this.#tryTargets(either);
      if (result.kind === 'connected' || !either.aborted) return result;
      if (signal.aborted) return { kind: 'failed', code: 'aborted', detail: messageOf(signal.reason) };
      return this.#failed(`has not opened the connection within ${limits.proxyTime} ms`, 'upstream_timeout');
    } finally {
      clearTimeout(timer);
    }
  }

  async #tryTargets(signal: AbortSignal): Promise<ConnectResult<Kind>> {
    const { plan } = this.#options;
    const found = await this.#addresses(signal);
    if (!Array.isArray(found)) return found;
    const targets = this.#proxy.byHostname ? plan.targets.slice(0, 1) : plan.targets;
    let last: ConnectResult<Kind> = this.#failed('was asked for no address');
    for (const target of targets) {
      const attempt = await this.#attempt(found, target, signal);
      if (attempt.result.kind === 'connected' || !attempt.tryNext || signal.aborted) return attempt.result;
      last = attempt.result;
    }
    return last;
  }

  /** Of the proxy. The operator named it, so no rule of addresses applies. */
  async #addresses(signal: AbortSignal): Promise<Target[] | Failure> {
    const { resolver, limits } = this.#options;
    const { host, port } = this.#proxy;
    if (isIP(host) !== 0) return [{ address: host, port }];
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      const addresses = await Promise.race([resolver.lookup(host), aborted.promise]);
      if (addresses.length > 0)
        return addresses.slice(0, limits.addresses).map((address) => ({ address, port }));
      return this.#failed('has no address');
    } catch (cause) {
      return this.#failed(`could not be resolved: ${messageOf(cause)}`);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #attempt(
    proxyTargets: readonly Target[],
    target: Target,
    signal: AbortSignal,
  ): Promise<{ readonly result: ConnectResult<Kind>; readonly tryNext: boolean }> {
    const { open, host, port, limits } = this.#options;
    const dialled = await dialWith(open, proxyTargets, limits, signal);
    if (dialled.kind === 'failed') {
      const code = dialled.code === 'aborted' ? 'upstream_unreachable' : dialled.code;
      return { result: this.#failed(`cannot be reached: ${dialled.detail}`, code), tryNext: false };
    }
    const { upstream } = dialled;
    const request = this.#proxy.byHostname
      ? this.#proxy.connectRequest(host, port)
      : this.#proxy.connectRequest(target.address, target.port);
    const answer = await requestTunnel(upstream, request, limits.proxyHeadBytes, signal);
    if (
      answer.kind === 'answer' &&
      answer.status >= 200 &&
      answer.status < 300 &&
      !upstream.socket.destroyed
    ) {
      return { result: { kind: 'connected', upstream, target }, tryNext: false };
    }
    upstream.socket.on('error', () => {});
    upstream.socket.destroy();
    const tryNext = answer.kind === 'answer' && TRY_NEXT.has(answer.status);
    return { result: this.#refusal(answer), tryNext };
  }

  #refusal(answer: ConnectAnswer): Failure {
    switch (answer.kind) {
      case 'answer':
        if (answer.status === 407) {
          const { hasCredentials } = this.#proxy;
          return this.#failed(hasCredentials ? 'refused its credentials (407)' : 'wants credentials (407)');
        }
        if (answer.status === 504) return this.#failed('answered 504', 'upstream_timeout');
        return this.#failed(`answered ${answer.status}`);
      case 'garbage':
        return this.#failed('answered with something that is not HTTP/1');
      case 'too_large':
        return this.#failed(`answered with a head of more than ${this.#options.limits.proxyHeadBytes} bytes`);
      case 'closed':
        return this.#failed('closed the connection');
      case 'aborted':
        return this.#failed('was given up on');
      default: {
        const unreachable: never = answer;
        return unreachable;
      }
    }
  }

  #failed(what: string, code: Failure['code'] = 'upstream_unreachable'): Failure {
    return { kind: 'failed', code, detail: `the upstream proxy ${this.#proxy} ${what}` };
  }
}
