import type { EndpointRef, Intent } from '../../engine.ts';
import type { RequestDecision, RequestFacts } from '../../request.ts';
import type { BuiltinEngine } from '../compile.ts';
import { describePart } from './describe.ts';
import type { InspectedEndpoint } from './endpoint.ts';
import { partsOf } from './matcher.ts';

/** What one inspected endpoint says to a request: the first thing that counts. */
export type RequestStep =
  | 'denies'
  | 'allows'
  /** None of its rules fits. */
  | 'silent'
  /** It reads requests in another way than the most specific endpoint, so it can only deny. */
  | 'other_protocol'
  | 'other_path';

export interface ConsideredRequest {
  readonly endpoint: EndpointRef;
  /** The policy's name, as logs show it. */
  readonly policy: string;
  readonly step: RequestStep;
  /** Why, in words, with the places of the rules that decided. */
  readonly why: string;
}

export interface RequestExplanation {
  readonly decision: RequestDecision;
  /** Every inspected endpoint for host, port and program; the most specific path first. None: the connection decides. */
  readonly considered: readonly ConsideredRequest[];
}

/** Decides a request and says of every inspected endpoint what it thinks of it. */
export function explainRequest(
  engine: BuiltinEngine,
  intent: Intent,
  facts: RequestFacts,
): RequestExplanation {
  const endpoints = engine.inspectedFor(intent);
  const authority = endpoints.find((endpoint) => endpoint.matches(facts.path));
  const considered = endpoints.map((endpoint) => consider(endpoint, authority, facts));
  return { decision: engine.authorizeRequest(intent, facts), considered };
}

function consider(
  endpoint: InspectedEndpoint,
  authority: InspectedEndpoint | undefined,
  facts: RequestFacts,
): ConsideredRequest {
  const entry = (step: RequestStep, why: string) => ({
    endpoint: endpoint.ref,
    policy: endpoint.policy,
    step,
    why,
  });
  const { path, protocol } = endpoint.endpoint;
  if (!endpoint.matches(facts.path)) return entry('other_path', `${facts.path} does not match path ${path}`);
  const indexes = Array.from({ length: Math.max(1, partsOf(facts)) }, (_, index) => index);
  for (const index of indexes) {
    const denial = endpoint.denying(facts, index);
    if (denial) return entry('denies', `${describePart(facts, index)}: denied by ${denial.place}`);
  }
  if (endpoint.reading !== authority?.reading)
    return entry(
      'other_protocol',
      `requests to ${facts.path} are read as ${authority?.endpoint.protocol}, so ${protocol} rules can only deny`,
    );
  const places = indexes.map((index) => endpoint.allowing(facts, index)?.rule);
  const missing = places.indexOf(undefined);
  return missing < 0
    ? entry('allows', `allowed by ${[...new Set(places)].join(', ')}`)
    : entry('silent', `${describePart(facts, missing)}: no rule of ${endpoint.place} fits`);
}
