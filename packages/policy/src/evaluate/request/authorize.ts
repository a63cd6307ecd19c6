import type { Generation } from '@openshell/base';
import type { Intent } from '../../engine.ts';
import type { RequestDecision, RequestFacts } from '../../request.ts';
import type { CompiledRule, InspectedEndpoint } from './endpoint.ts';
import { partsOf } from './matcher.ts';
import { STRICT_TOOL_NAME } from './mcp-methods.ts';
import { deniedByRule, malformed, notAllowed, pathNotAllowed } from './refusal.ts';

/** A deny rule and the endpoint that has it. */
interface Hit {
  readonly endpoint: InspectedEndpoint;
  readonly rule: CompiledRule;
}

/**
 * Decides one request. `endpoints` are all inspected ones for its host, port and program, the most specific path first. The first
 * whose path it has says how it was read; those that read alike may allow its parts, each part by itself; every one may deny.
 * A denial counts as much as the endpoint that it comes from: `audit` reports where `enforce` refuses.
 */
export function authorizeRequest(
  endpoints: readonly InspectedEndpoint[],
  intent: Intent,
  facts: RequestFacts,
  generation: Generation,
): RequestDecision {
  const authority = firstFor(endpoints, facts.path);
  if (!authority) return pathNotAllowed(endpoints, intent, facts, generation);
  const trouble = notUnderstood(authority, facts);
  if (trouble !== undefined) return malformed(authority, facts, trouble, generation);
  const parts = partsOf(facts);
  let allowed = authority.allowed;
  let refused = -1;
  let watched: Hit | undefined;
  // What has no parts is asked about all the same, as one.
  for (let index = 0; index === 0 || index < parts; index++) {
    const hit = denialOf(endpoints, facts, index);
    if (hit?.endpoint.endpoint.enforcement === 'enforce') return deniedByRule(hit, facts, index, generation);
    watched ??= hit;
    const allowing = allowanceOf(endpoints, authority, facts, index);
    if (allowing) allowed = allowing;
    else if (refused < 0) refused = index;
  }
  if (refused >= 0) {
    const denial = notAllowed(authority, facts, refused, generation);
    return authority.endpoint.enforcement === 'enforce' ? denial : audited(authority, denial, generation);
  }
  return watched
    ? audited(watched.endpoint, deniedByRule(watched, facts, 0, generation), generation)
    : allowed;
}

function firstFor(endpoints: readonly InspectedEndpoint[], path: string): InspectedEndpoint | undefined {
  for (const endpoint of endpoints) if (endpoint.matches(path)) return endpoint;
  return undefined;
}

/** What no rule and no `audit` can let through: nobody could say what it does. */
function notUnderstood({ endpoint, reading }: InspectedEndpoint, facts: RequestFacts): string | undefined {
  const { content } = facts;
  if (content.kind === 'malformed') return content.reason;
  if (content.kind !== 'rpc' || facts.from === 'server') return undefined;
  for (const { kind, method, tool } of content.messages) {
    // JSON-RPC over HTTP has no way for the server to ask, so there is nothing that the workload could answer.
    if (kind === 'response' && reading === 'json-rpc') return 'a JSON-RPC response from the client';
    if (method === 'tools/call' && endpoint.mcp?.strictToolNames && !STRICT_TOOL_NAME.test(tool ?? ''))
      return 'the name of the tool is not a strict one';
  }
  return undefined;
}

/** The deny rule that counts most for a part: one that is enforced, where there is one. */
function denialOf(
  endpoints: readonly InspectedEndpoint[],
  facts: RequestFacts,
  index: number,
): Hit | undefined {
  let watched: Hit | undefined;
  for (const endpoint of endpoints) {
    if (endpoint.denyRules.length === 0 || !endpoint.matches(facts.path)) continue;
    const rule = endpoint.denying(facts, index);
    if (!rule) continue;
    if (endpoint.endpoint.enforcement === 'enforce') return { endpoint, rule };
    watched ??= { endpoint, rule };
  }
  return watched;
}

function allowanceOf(
  endpoints: readonly InspectedEndpoint[],
  authority: InspectedEndpoint,
  facts: RequestFacts,
  index: number,
) {
  let limited = false;
  for (const endpoint of endpoints) {
    if (endpoint.reading !== authority.reading || !endpoint.matches(facts.path)) continue;
    const allowing = endpoint.allowing(facts, index);
    if (allowing) return allowing;
    limited ||= endpoint.limitsServer;
  }
  return facts.from === 'server' && serverMay(facts, index, limited) ? authority.allowed : undefined;
}

/** The server may answer, and say what it likes where no rule lists what it may say. */
function serverMay({ content }: RequestFacts, index: number, limited: boolean): boolean {
  if (content.kind === 'rpc') return !limited || content.messages[index]?.kind === 'response';
  return content.kind === 'message' && !limited;
}

function audited(
  endpoint: InspectedEndpoint,
  { reason, rule }: Extract<RequestDecision, { action: 'deny' }>,
  generation: Generation,
): RequestDecision {
  return {
    action: 'audit',
    generation,
    reason: `${reason}, and let through: the endpoint only audits`,
    policy: endpoint.policy,
    endpoint: endpoint.ref,
    rule: rule ?? endpoint.place,
  };
}
