import type { Generation } from '@openshell/base';
import type { ConnectDecision, Intent } from '../../engine.ts';
import { escapeGlob } from '../../glob/glob.ts';
import { formatPath } from '../../problem.ts';
import type { RequestDecision, RequestFacts } from '../../request.ts';
import { describePart } from './describe.ts';
import type { CompiledRule, InspectedEndpoint } from './endpoint.ts';
import { remedyFor, ruleFor } from './remedy.ts';
import { flow } from './yaml-flow.ts';

type RequestDenied = Extract<RequestDecision, { action: 'deny' }>;

/** Where no inspected endpoint matches, requests are as free as the connection; what cannot be read is refused all the same. */
export function connectionDecides(decision: ConnectDecision, facts: RequestFacts): RequestDecision {
  const { generation, reason } = decision;
  if (decision.action === 'deny') {
    const { remedy, policy } = decision;
    return {
      action: 'deny',
      generation,
      code: 'request_not_allowed',
      reason,
      remedy,
      ...(policy ? { policy } : {}),
    };
  }
  const { policy, endpoint } = decision;
  const rule = formatPath(['network_policies', endpoint.policy, 'endpoints', endpoint.index]);
  if (facts.content.kind !== 'malformed')
    return { action: 'allow', generation, reason, policy, endpoint, rule };
  return {
    action: 'deny',
    generation,
    code: 'request_malformed',
    reason: `${describePart(facts, 0)} cannot be understood: ${facts.content.reason}`,
    remedy: 'No rule can allow it; send a request that can be read.',
    policy,
    endpoint,
    rule,
  };
}

export function notAllowed(
  endpoint: InspectedEndpoint,
  facts: RequestFacts,
  index: number,
  generation: Generation,
): RequestDenied {
  return {
    action: 'deny',
    generation,
    code: 'request_not_allowed',
    reason: `${describePart(facts, index)} is not allowed by ${endpoint.place}`,
    remedy: remedyFor(endpoint, facts, index),
    policy: endpoint.policy,
    endpoint: endpoint.ref,
    rule: endpoint.place,
  };
}

export function deniedByRule(
  { endpoint, rule }: { readonly endpoint: InspectedEndpoint; readonly rule: CompiledRule },
  facts: RequestFacts,
  index: number,
  generation: Generation,
): RequestDenied {
  return {
    action: 'deny',
    generation,
    code: 'request_denied',
    reason: `${describePart(facts, index)} is denied by ${rule.place}`,
    remedy: `It is refused on purpose, whatever else allows it. Change ${rule.place} if this was not meant.`,
    policy: endpoint.policy,
    endpoint: endpoint.ref,
    rule: rule.place,
  };
}

export function malformed(
  endpoint: InspectedEndpoint,
  facts: RequestFacts,
  what: string,
  generation: Generation,
): RequestDenied {
  return {
    action: 'deny',
    generation,
    code: 'request_malformed',
    reason: `${facts.method} ${facts.path} cannot be judged as ${endpoint.endpoint.protocol}: ${what}`,
    remedy: `No rule can allow it; send a request that ${endpoint.place} can be asked about.`,
    policy: endpoint.policy,
    endpoint: endpoint.ref,
    rule: endpoint.place,
  };
}

/** No endpoint has the path. A narrow endpoint beside the others would allow it. */
export function pathNotAllowed(
  endpoints: readonly InspectedEndpoint[],
  { host, port }: Intent,
  facts: RequestFacts,
  generation: Generation,
): RequestDenied {
  const nearest = endpoints[0]!;
  const { protocol, host: written } = nearest.endpoint;
  const rule = ruleFor(nearest.endpoint, facts, 0);
  const place = formatPath(['network_policies', nearest.ref.policy, 'endpoints']);
  const endpoint = {
    host: written || host,
    port,
    path: escapeGlob(facts.path),
    protocol,
    enforcement: 'enforce',
    rules: [{ allow: rule }],
  };
  return {
    action: 'deny',
    generation,
    code: 'request_not_allowed',
    reason: `${describePart(facts, 0)} is for no path of the endpoints for ${host}:${port}`,
    remedy: rule
      ? `Add to ${place}: - ${flow(endpoint)}`
      : `Change the path of ${nearest.place} if this one is meant.`,
    policy: nearest.policy,
    endpoint: nearest.ref,
  };
}
