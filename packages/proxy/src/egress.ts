import type { SandboxId } from '@openshell/base';
import type { Adapter, ConnectDecision, Intent, PolicyEngine } from '@openshell/policy';
import { dial } from './destination/connector.ts';
import { type Planner, planDestination } from './destination/plan.ts';
import type { Upstream } from './destination/upstream.ts';
import { type EvidenceSource, identifyWithin } from './evidence.ts';
import type { Authority } from './http/authority.ts';
import { type Connection, checkTarget, type Grant } from './tenant/connection.ts';

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

export type EgressOutcome =
  | { readonly kind: 'open'; readonly upstream: Upstream }
  | EgressRefusal
  /** The client went away while it was being connected: there is nobody to answer. */
  | { readonly kind: 'gone' };

export interface EgressOptions {
  readonly sandbox: SandboxId;
  readonly evidence: EvidenceSource;
  /** The engine of this moment. */
  readonly engine: () => PolicyEngine;
  readonly planner: Planner;
}

/**
 * The one way out, the same for every adapter: who asks, may it, where is that, connect.
 * Policy is asked once, and everything after that follows from its decision.
 */
export class Egress {
  readonly #options: EgressOptions;

  constructor(options: EgressOptions) {
    this.#options = options;
  }

  /** Never throws. On success the connection has its grant, and the caller owns the upstream. */
  async open(connection: Connection, adapter: Adapter, destination: Authority): Promise<EgressOutcome> {
    const { sandbox, evidence: source, planner } = this.#options;
    const evidence = await identifyWithin(source, connection.flow, planner.limits.evidenceTime);
    const intent: Intent = { sandbox, adapter, host: destination.host, port: destination.port, evidence };
    const pending = this.#decide(intent);
    const decision = pending instanceof Promise ? await pending : pending;
    if (decision.action !== 'allow') {
      const { code: cause, generation, reason, remedy, policy } = decision;
      return { kind: 'refused', code: 'policy_denied', cause, intent, generation, reason, remedy, policy };
    }
    connection.grant = { intent, decision };
    return this.#connect(connection, connection.grant);
  }

  #decide(intent: Intent): ConnectDecision | Promise<ConnectDecision> {
    const engine = this.#options.engine();
    const decision = engine.authorizeConnect(intent);
    if (!(decision instanceof Promise)) return decision;
    // A policy that was installed meanwhile has not seen this attempt: it decides instead.
    return decision.then((made) => (engine === this.#options.engine() ? made : this.#decide(intent)));
  }

  async #connect(connection: Connection, grant: Grant): Promise<EgressOutcome> {
    const { planner } = this.#options;
    const { host, port } = grant.intent;
    const plan = await planDestination(planner, { host, port, rule: grant.decision.destination });
    if (connection.signal.aborted) return interrupted(connection, grant);
    if (plan.kind === 'refused') return refusal(grant, plan.code, plan.reason, plan.remedy);
    const dialled = await dial(plan.targets, planner.limits, connection.signal);
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
    const { target } = dialled.upstream;
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

const interrupted = ({ revoked }: Connection, grant: Grant): EgressOutcome =>
  revoked === undefined ? { kind: 'gone' } : refusal(grant, 'policy_denied', revoked);

function refusal(grant: Grant, code: EgressRefusalCode, reason: string, remedy?: string): EgressRefusal {
  const { intent, decision } = grant;
  const { generation, policy } = decision;
  return { kind: 'refused', code, cause: code, intent, generation, reason, remedy, policy };
}
