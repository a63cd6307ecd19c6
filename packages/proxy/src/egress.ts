import type { SandboxId } from '@openshell/base';
import type { Adapter, ConnectDecision, Intent, PolicyEngine } from '@openshell/policy';
import { type Planner, planDestination, type Target } from './destination/plan.ts';
import { type Carrier, Upstream } from './destination/upstream.ts';
import { type EvidenceSource, identifyWithin } from './evidence.ts';
import type { Authority } from './http/authority.ts';
import { type Connection, checkTarget, type Grant } from './tenant/connection.ts';
import { connectUpstream } from './upstream/connect-upstream.ts';
import type { UpstreamProxy } from './upstream/upstream-proxy.ts';

export type EgressRefusalCode =
  | 'policy_denied'
  | 'ssrf_denied'
  | 'resolve_failed'
  | 'upstream_unreachable'
  | 'upstream_timeout';

/** Why a connection does not come about. Adapters put it into their own protocol. */
export interface EgressRefusal {
  readonly kind: 'refused';
  readonly code: EgressRefusalCode;
  /** Finer than `code` where policy decided: `no_policy`, `binary_not_allowed`, ... */
  readonly cause: string;
  readonly intent: Intent;
  readonly generation: number;
  readonly reason: string;
  readonly remedy?: string | undefined;
  /** The policy that decided, or that would allow it for other binaries. */
  readonly policy?: string | undefined;
}

export type EgressOutcome<Kind extends Carrier = Upstream> =
  | { readonly kind: 'open'; readonly upstream: Kind }
  | EgressRefusal
  /** The client went away while it was being connected: there is nobody to answer. */
  | { readonly kind: 'gone' };

export interface EgressOptions {
  readonly sandbox: SandboxId;
  readonly evidence: EvidenceSource;
  /** The engine of this moment. */
  readonly engine: () => PolicyEngine;
  readonly planner: Planner;
  /** The operator's, that connections go through. */
  readonly proxy?: UpstreamProxy | undefined;
}

export type Authorised = { readonly kind: 'granted'; readonly grant: Grant } | EgressRefusal;

/**
 * The one way out, the same for every adapter: who asks, may it, where is that, connect.
 * Policy is asked once, and everything after that follows from its decision.
 */
export class Egress {
  readonly #options: EgressOptions;

  constructor(options: EgressOptions) {
    this.#options = options;
  }

  /** Who asks, and may it? Never throws. The grant is the caller's to keep. */
  async authorise(connection: Connection, adapter: Adapter, destination: Authority): Promise<Authorised> {
    const intent = await this.identify(connection, adapter, destination);
    const pending = this.#decide(intent);
    const decision = pending instanceof Promise ? await pending : pending;
    if (decision.action === 'allow') return { kind: 'granted', grant: { intent, decision } };
    const { code: cause, generation, reason, remedy, policy } = decision;
    return { kind: 'refused', code: 'policy_denied', cause, intent, generation, reason, remedy, policy };
  }

  /** Who asks for what. Never throws. */
  async identify(connection: Connection, adapter: Adapter, { host, port }: Authority): Promise<Intent> {
    const { sandbox, evidence: source, planner } = this.#options;
    const evidence =
      connection.evidence ?? (await identifyWithin(source, connection.flow, planner.limits.evidenceTime));
    return { sandbox, adapter, host, port, evidence };
  }

  #decide(intent: Intent): ConnectDecision | Promise<ConnectDecision> {
    const engine = this.#options.engine();
    const decision = engine.authorizeConnect(intent);
    if (!(decision instanceof Promise)) return decision;
    // A policy that was installed meanwhile has not seen this attempt: it decides instead.
    return decision.then((made) => (engine === this.#options.engine() ? made : this.#decide(intent)));
  }

  /**
   * Connects to what the connection's grant is for, byte for byte. Never throws. On success the grant has its address, and the
   * caller owns the upstream.
   */
  connect(connection: Connection): Promise<EgressOutcome> {
    return this.connectWith(connection, (target) => new Upstream(target));
  }

  /** The same, with the connection begun by `open`. */
  async connectWith<Kind extends Carrier>(
    connection: Connection,
    open: (target: Target) => Kind,
  ): Promise<EgressOutcome<Kind>> {
    const trace = connection.trace.upstream(connection.grant!.intent);
    const outcome = await this.#connect(connection, open);
    if (outcome.kind === 'open') trace?.connected(outcome.upstream.target);
    trace?.end(outcome.kind === 'open' ? undefined : outcome.kind === 'refused' ? outcome.cause : 'gone');
    return outcome;
  }

  async #connect<Kind extends Carrier>(
    connection: Connection,
    open: (target: Target) => Kind,
  ): Promise<EgressOutcome<Kind>> {
    const { planner, proxy } = this.#options;
    const grant = connection.grant!;
    const { host, port } = grant.intent;
    const plan = await planDestination(planner, { host, port, rule: grant.decision.destination });
    if (connection.signal.aborted) return interrupted(connection, grant);
    if (plan.kind === 'refused') return refusal(grant, plan.code, plan.reason, plan.remedy);
    const dialled = await connectUpstream({
      ...{ open, host, port, plan, proxy },
      ...{ resolver: planner.resolver, limits: planner.limits, signal: connection.signal },
    });
    // A policy may have been installed between the connection and this turn.
    if (connection.signal.aborted) {
      if (dialled.kind === 'connected') dialled.upstream.socket.destroy();
      return interrupted(connection, grant);
    }
    if (dialled.kind === 'failed') {
      const code = dialled.code === 'upstream_timeout' ? 'upstream_timeout' : 'upstream_unreachable';
      const reason = `policy allows it, but the connection failed: ${dialled.detail}`;
      return refusal(grant, code, reason, 'Check that the service runs and that this machine can reach it.');
    }
    const { target } = dialled;
    const latest: Grant = { ...(connection.grant ?? grant), target, overridden: plan.overridden };
    const check = latest.decision === grant.decision ? ALLOWED : checkTarget(latest);
    if (!check.ok) {
      dialled.upstream.socket.destroy();
      return refusal(latest, 'ssrf_denied', check.reason, check.remedy);
    }
    connection.grant = latest;
    return { kind: 'open', upstream: dialled.upstream };
  }
}

const ALLOWED = { ok: true } as const;

const interrupted = (
  { revoked }: Connection,
  grant: Grant,
): Exclude<EgressOutcome, { readonly kind: 'open' }> =>
  revoked === undefined ? { kind: 'gone' } : refusal(grant, 'policy_denied', revoked);

function refusal(grant: Grant, code: EgressRefusalCode, reason: string, remedy?: string): EgressRefusal {
  const { intent, decision } = grant;
  const { generation, policy } = decision;
  return { kind: 'refused', code, cause: code, intent, generation, reason, remedy, policy };
}
