import type { Generation } from '@openshell/base';
import type { ConnectDecision, DestinationRule, EndpointRef, Evidence } from '../engine.ts';
import { type HostPattern, parseHostPattern } from '../glob/host-pattern.ts';
import type { Endpoint, NetworkPolicy } from '../policy.ts';
import { isInspected } from '../protocols.ts';
import type { BinaryMatcher } from './binaries.ts';
import { InspectedEndpoint } from './request/endpoint.ts';

export type AllowDecision = Extract<ConnectDecision, { action: 'allow' }>;

/** Whether programs must be known: `not-required` is the operator's word, for platforms that cannot tell who asks. */
export type IdentityMode = 'required' | 'not-required';

/** One endpoint, ready to decide. Everything that a decision says is made here, once. */
export class EndpointRule {
  readonly policy: NetworkPolicy;
  readonly endpoint: Endpoint;
  readonly ref: EndpointRef;
  /** Undefined: any host. */
  readonly host: HostPattern | undefined;
  readonly binaries: BinaryMatcher;
  /** What decides about requests; undefined where the connection is all that is decided. */
  readonly inspected: InspectedEndpoint | undefined;
  #rank = 0;
  readonly #identity: IdentityMode;
  /** The port where there is one only; else 0, which is none. */
  readonly #port: number;
  readonly #ports: readonly number[];
  readonly #decision: AllowDecision;
  readonly #namedDecision: AllowDecision;

  constructor(policy: NetworkPolicy, index: number, binaries: BinaryMatcher, options: RuleOptions) {
    const endpoint = policy.endpoints[index]!;
    this.policy = policy;
    this.endpoint = endpoint;
    this.ref = Object.freeze({ policy: policy.key, index, host: endpoint.host });
    this.host = endpoint.host === '' ? undefined : parseHostPattern(endpoint.host);
    this.binaries = binaries;
    this.inspected = isInspected(endpoint.protocol)
      ? new InspectedEndpoint(policy, this.ref, options.generation)
      : undefined;
    this.#identity = options.identity;
    this.#port = endpoint.ports.length === 1 ? endpoint.ports[0]! : 0;
    this.#ports = endpoint.ports;
    const exact = this.host !== undefined && this.host.kind !== 'wildcard';
    this.#decision = this.#allow(options.generation, exact);
    this.#namedDecision = exact ? this.#decision : this.#allow(options.generation, true);
  }

  /** Smaller comes first: the order of policy names, then of endpoints. */
  get rank(): number {
    return this.#rank;
  }

  /** Set once, when all endpoints of the policy are known. */
  set rank(rank: number) {
    this.#rank = rank;
    if (this.inspected) this.inspected.rank = rank;
  }

  /** Whether the endpoint names a host without wildcards. */
  get isExact(): boolean {
    return this.#decision === this.#namedDecision;
  }

  hasPort(port: number): boolean {
    return this.#port === 0 ? this.#ports.includes(port) : this.#port === port;
  }

  /** Whether the one who asks may use this endpoint. */
  admits(evidence: Evidence): boolean {
    if (this.#identity === 'not-required' && (evidence.kind === 'unknown' || this.binaries.isEmpty))
      return true;
    return evidence.kind === 'process' && this.binaries.admits(evidence);
  }

  /** Whether anybody at all may. */
  get isUsable(): boolean {
    return this.#identity === 'not-required' || !this.binaries.isEmpty;
  }

  /** The ready decision; `named` when some matching endpoint names the very host. */
  allow(named: boolean): AllowDecision {
    return named ? this.#namedDecision : this.#decision;
  }

  #allow(generation: Generation, exactHost: boolean): AllowDecision {
    const { allowedIps, tls } = this.endpoint;
    const destination: DestinationRule = Object.freeze({ exactHost, ...(allowedIps ? { allowedIps } : {}) });
    const { key, name } = this.policy;
    const reason = `allowed by network_policies.${key}.endpoints[${this.ref.index}]`;
    return Object.freeze({
      action: 'allow',
      generation,
      reason,
      policy: name,
      endpoint: this.ref,
      tls,
      destination,
    });
  }
}

export interface RuleOptions {
  readonly generation: Generation;
  readonly identity: IdentityMode;
}
