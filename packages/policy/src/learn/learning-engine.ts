import type { Generation } from '@openshell/base';
import { isAddressLiteral } from '../address/canonical-host.ts';
import type { ConnectDecision, DenyCode, EndpointRef, Intent, PolicyEngine } from '../engine.ts';
import type { BuiltinEngine } from '../evaluate/compile.ts';
import { MiddlewareSelector } from '../evaluate/request/middlewares.ts';
import type { Endpoint } from '../policy.ts';
import { type RequestDecision, type RequestFacts, type Treatment, treatmentOf } from '../request.ts';
import type { LearningRecord } from './learning-record.ts';

/** What decisions name where a policy has no name for it yet. */
const LEARNING = 'learning';

/** Refusals that say no more than that nothing allows it. Whatever a person refused on purpose, or nobody can judge, stays refused. */
const LEARNED: ReadonlySet<DenyCode> = new Set(['no_policy', 'endpoint_not_allowed', 'binary_not_allowed']);

/**
 * Decides as a policy does, but lets through what merely nothing allows, and records it. Deny rules keep their word; programs must be
 * known; what leads to a private or protected address is refused as ever, because a destination that was learned counts as one that
 * is not named exactly.
 */
export class LearningEngine implements PolicyEngine {
  readonly generation: Generation;
  readonly #base: BuiltinEngine;
  readonly #record: LearningRecord;
  readonly #middlewares: MiddlewareSelector;

  constructor(base: BuiltinEngine, record: LearningRecord) {
    this.generation = base.generation;
    this.#base = base;
    this.#record = record;
    this.#middlewares = new MiddlewareSelector(base.policy.middlewares);
  }

  authorizeConnect(intent: Intent): ConnectDecision {
    const decision = this.#base.authorizeConnect(intent);
    if (decision.action === 'allow' || !LEARNED.has(decision.code) || intent.evidence.kind !== 'process')
      return decision;
    this.#record.connection(intent, decision.code);
    const treatment = learnedTreatment(intent.host);
    return {
      action: 'allow',
      generation: this.generation,
      reason: `${decision.reason}; let through to learn it`,
      policy: LEARNING,
      endpoint: treatment.ref,
      tls: 'auto',
      destination: { exactHost: false },
      inspection: {
        treatments: [treatment],
        middlewares: this.#middlewares.forHost(intent.host),
        unreadable: 'pass',
      },
    };
  }

  authorizeRequest(intent: Intent, facts: RequestFacts): RequestDecision {
    const decision = this.#base.authorizeRequest(intent, facts);
    if (decision.action !== 'deny' || decision.code !== 'request_not_allowed') return decision;
    // A place that the policy does not know says no more than that, whatever is asked of it.
    if (intent.evidence.kind !== 'process' || facts.content.kind === 'malformed') return decision;
    const connection = this.#base.authorizeConnect(intent);
    if (connection.action === 'deny' && !LEARNED.has(connection.code)) return decision;
    const inspection = connection.action === 'allow' ? connection.inspection : undefined;
    const treatment = (inspection && treatmentOf(inspection, facts.path)) ?? learnedTreatment(intent.host);
    const { code, reason, rule = LEARNING } = decision;
    this.#record.request(intent, facts, { protocol: treatment.endpoint.protocol, code });
    return {
      action: 'audit',
      generation: this.generation,
      reason: `${reason}; let through to learn it`,
      policy: treatment.policy,
      endpoint: treatment.ref,
      rule,
    };
  }

  couldAllowName(host: string): boolean {
    return !isAddressLiteral(host);
  }

  /** An address that no policy names is asked about under the name that the client's own bytes give it. */
  couldAllowAddress(address: string, port: number): boolean {
    return this.#base.couldAllowAddress(address, port);
  }
}

/** Every request is read, and none is refused for want of a rule. */
function learnedTreatment(host: string): Treatment {
  const ref: EndpointRef = { policy: LEARNING, index: 0, host };
  return { ref, policy: LEARNING, endpoint: ENDPOINT, learned: true, matches: () => true };
}

const ENDPOINT: Endpoint = Object.freeze({
  host: '',
  ports: [],
  path: '',
  protocol: 'rest',
  tls: 'auto',
  enforcement: 'audit',
  allowEncodedSlash: true,
  websocketCredentialRewrite: false,
  requestBodyCredentialRewrite: false,
  allowUninspectedCredentials: false,
});
