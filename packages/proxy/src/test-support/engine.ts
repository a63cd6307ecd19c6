import { type Generation, generation } from '@openshell/base';
import type { ConnectDecision, Intent, PolicyEngine, RequestDecision } from '@openshell/policy';

export interface FakeRules {
  /** `host:port` pairs that may be reached. */
  readonly allow: readonly string[];
  readonly generation?: number;
  /** Whether the hosts were declared exactly, so that private addresses are meant. */
  readonly exactHost?: boolean;
  /** The only binary that is allowed. */
  readonly binary?: string;
}

/** A policy engine that allows a list of `host:port` and nothing else. */
export class FakeEngine implements PolicyEngine {
  readonly generation: Generation;
  readonly #rules: FakeRules;
  readonly asked: Intent[] = [];

  constructor(rules: FakeRules) {
    this.#rules = rules;
    this.generation = generation(rules.generation ?? 1);
  }

  authorizeConnect(intent: Intent): ConnectDecision {
    this.asked.push(intent);
    const { allow, binary, exactHost = false } = this.#rules;
    const endpoint = `${intent.host}:${intent.port}`;
    const { generation } = this;
    if (!allow.includes(endpoint)) {
      const remedy = `allow ${endpoint}`;
      return { action: 'deny', generation, code: 'no_policy', reason: 'no policy allows this host', remedy };
    }
    const path = intent.evidence.kind === 'process' ? intent.evidence.executable.path : undefined;
    if (binary !== undefined && path !== binary) {
      const [reason, remedy] = ['another binary', `add ${path}`];
      return { action: 'deny', generation, code: 'binary_not_allowed', reason, remedy, policy: 'p' };
    }
    return {
      action: 'allow',
      generation,
      reason: 'allowed',
      policy: 'p',
      endpoint: { policy: 'p', index: 0, host: intent.host },
      tls: 'auto',
      destination: { exactHost },
    };
  }

  /** Requests are as free as their connection. */
  authorizeRequest({ host }: Intent): RequestDecision {
    const endpoint = { policy: 'p', index: 0, host };
    const rule = 'network_policies.p.endpoints[0]';
    return { action: 'allow', generation: this.generation, reason: 'allowed', policy: 'p', endpoint, rule };
  }

  couldAllowName(host: string): boolean {
    return this.#rules.allow.some((endpoint) => endpoint.startsWith(`${host}:`));
  }

  couldAllowAddress(address: string, port: number): boolean {
    return this.#rules.allow.includes(`${address}:${port}`);
  }
}
