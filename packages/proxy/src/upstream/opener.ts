import type { Socket } from 'node:net';
import { messageOf } from '@openshell/base';
import type { Target } from '../destination/plan.ts';
import type { Resolver } from '../destination/resolver.ts';
import type { UpstreamConnection, UpstreamFailure } from '../exchange/exchange.ts';
import type { Limits } from '../limits.ts';
import type { AlpnProtocol } from '../tls/intercept.ts';
import { secureUpstream } from '../tls/secure-upstream.ts';
import { SessionCache } from '../tls/session-cache.ts';
import type { UpstreamTrust } from '../tls/trust.ts';
import { connectUpstream } from './connect-upstream.ts';
import type { UpstreamDestination } from './destination.ts';
import { PlainUpstream } from './plain-upstream.ts';
import type { UpstreamProxy } from './upstream-proxy.ts';

/** What the operator says about the way to upstreams; the same for all sandboxes. */
export interface UpstreamOptions {
  readonly trust: UpstreamTrust;
  readonly proxy?: UpstreamProxy | undefined;
}

/** Makes the protocol's connection on a socket that is connected and, for https, secured. */
export type ConnectionFactory = (socket: Socket, protocol: 'h1' | 'h2') => UpstreamConnection;

export interface OpenerOptions extends UpstreamOptions {
  readonly resolver: Resolver;
  readonly limits: Limits;
  readonly make: ConnectionFactory;
}

export type OpenResult =
  | {
      readonly kind: 'opened';
      readonly connection: UpstreamConnection;
      readonly target: Target;
      readonly overridden: boolean;
    }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

const ALPN: Readonly<Record<'h1' | 'h2', AlpnProtocol>> = { h1: 'http/1.1', h2: 'h2' };

/** Opens connections for one tenant: finds the address, connects, secures. Keeps nothing but TLS sessions. */
export class UpstreamOpener {
  readonly #options: OpenerOptions;
  readonly #sessions: SessionCache;

  constructor(options: OpenerOptions) {
    this.#options = options;
    this.#sessions = new SessionCache(options.limits.tlsSessions);
  }

  /** Never throws. */
  async open(destination: UpstreamDestination, signal: AbortSignal): Promise<OpenResult> {
    try {
      return await this.#open(destination, signal);
    } catch (cause) {
      return failed({ code: 'upstream_unreachable', detail: messageOf(cause) });
    }
  }

  async #open(destination: UpstreamDestination, signal: AbortSignal): Promise<OpenResult> {
    const { trust, proxy, resolver, limits, make } = this.#options;
    const { scheme, host, port, protocols } = destination;
    const plan = await destination.plan();
    if (plan.kind === 'refused') return failed({ code: plan.code, detail: plan.reason, remedy: plan.remedy });
    const connected = await connectUpstream({
      ...{ open: (target: Target) => new PlainUpstream(target) },
      ...{ host, port, plan, proxy, resolver, limits, signal },
    });
    if (connected.kind === 'failed') {
      const code = connected.code === 'aborted' ? 'upstream_unreachable' : connected.code;
      return failed({
        code,
        detail: connected.detail,
        remedy: 'Check that the service runs and that this machine can reach it.',
      });
    }
    const { socket } = connected.upstream;
    const { target } = connected;
    const { overridden } = plan;
    if (scheme === 'http') {
      return { kind: 'opened', connection: make(socket, protocols[0]), target, overridden };
    }
    const alpn = protocols.map((protocol) => ALPN[protocol]);
    const sessions = this.#sessions;
    const secured = await secureUpstream({ socket, host, port, alpn, trust, sessions, limits, signal });
    if (secured.kind === 'failed') return secured;
    return { kind: 'opened', connection: make(secured.socket, secured.protocol), target, overridden };
  }
}

const failed = (failure: Omit<UpstreamFailure, 'retry'>): OpenResult => ({
  kind: 'failed',
  failure: { ...failure, retry: false },
});
