import type { Generation } from '@openshell/base';
import { canonicalAddress, parseAddress } from '../address/address.ts';
import { isAddressLiteral } from '../address/canonical-host.ts';
import { within } from '../address/destination.ts';
import type { ConnectDecision, Intent, PolicyEngine } from '../engine.ts';
import { hostMatches } from '../glob/host-pattern.ts';
import type { Policy } from '../policy.ts';
import type { Inspection, RequestDecision, RequestFacts } from '../request.ts';
import { BinaryMatcher, type BinaryPathResolver } from './binaries.ts';
import { denyIntent } from './denial.ts';
import { authorizeRequest } from './request/authorize.ts';
import type { InspectedEndpoint } from './request/endpoint.ts';
import { MiddlewareSelector } from './request/middlewares.ts';
import { connectionDecides } from './request/refusal.ts';
import { Selections } from './request/selection.ts';
import { type AllowDecision, EndpointRule, type IdentityMode } from './rule.ts';
import { RuleIndex } from './rule-index.ts';

export interface CompileOptions {
  /** Default `required`: an attempt whose program is unknown is denied. */
  readonly identity?: IdentityMode;
  /** Follows symbolic links of binary paths inside the sandbox. Called while compiling only. */
  readonly resolveBinaryPath?: BinaryPathResolver;
}

/** The policy compiled to maps and matchers. Immutable: a new policy is a new engine. */
export class BuiltinEngine implements PolicyEngine {
  readonly generation: Generation;
  readonly identity: IdentityMode;
  readonly policy: Policy;
  /** Every endpoint in order of rank; for explanations. */
  readonly rules: readonly EndpointRule[];
  readonly #index: RuleIndex;
  /** Only the endpoints that are inspected. */
  readonly #inspected: RuleIndex;
  readonly #selections = new Selections();
  readonly #middlewares: MiddlewareSelector;
  /** Nothing of the policy looks into requests. */
  readonly #connectionsOnly: boolean;
  readonly #hasHostless: boolean;

  constructor(policy: Policy, generation: Generation, options: CompileOptions = {}) {
    this.policy = policy;
    this.generation = generation;
    this.identity = options.identity ?? 'required';
    this.rules = compileRules(policy, generation, options);
    this.#index = new RuleIndex(this.rules);
    this.#hasHostless = this.#index.hasHostless;
    const inspected = this.rules.filter((rule) => rule.inspected);
    this.#inspected = new RuleIndex(inspected);
    this.#middlewares = new MiddlewareSelector(policy.middlewares);
    this.#connectionsOnly = inspected.length === 0 && policy.middlewares.length === 0;
  }

  /** Allocates nothing when it allows without inspection: the decision was made ready at compile time. */
  authorizeConnect(intent: Intent): ConnectDecision {
    const { host, port, evidence } = intent;
    const index = this.#index;
    let best: EndpointRule | undefined;
    let named = false;
    for (const rule of index.exact(host)) {
      if (!rule.hasPort(port) || !rule.admits(evidence)) continue;
      best ??= rule;
      named = true;
      break;
    }
    for (const rule of index.wildcard(host)) {
      if (best && best.rank < rule.rank) break;
      if (!rule.hasPort(port) || !hostMatches(rule.host!, host) || !rule.admits(evidence)) continue;
      best = rule;
      break;
    }
    for (const rule of index.hostless(port)) {
      if (best && best.rank < rule.rank) break;
      if (!rule.admits(evidence)) continue;
      best = rule;
      break;
    }
    if (!best) return denyIntent(intent, this.generation, this.policy, index.matching(host, port));
    const decision = best.allow(named);
    return this.#connectionsOnly ? decision : this.#withInspection(decision, intent);
  }

  /** Costs the same for ten or ten thousand exact hosts, and allocates nothing when a rule allows. */
  authorizeRequest(intent: Intent, request: RequestFacts): RequestDecision {
    const endpoints = this.inspectedFor(intent);
    return endpoints.length > 0
      ? authorizeRequest(endpoints, intent, request, this.generation)
      : connectionDecides(this.authorizeConnect(intent), request);
  }

  /** TLS that is never opened shows no request: only `fail_open` middlewares can select such a host. */
  #withInspection(decision: AllowDecision, intent: Intent): AllowDecision {
    if (decision.tls === 'skip') return decision;
    const treatments = this.inspectedFor(intent);
    const middlewares = this.#middlewares.forHost(intent.host);
    if (treatments.length === 0 && middlewares.length === 0) return decision;
    const inspection: Inspection = { treatments, middlewares };
    return { ...decision, inspection };
  }

  /** The inspected endpoints for host, port and program; the most specific path first. */
  inspectedFor({ host, port, evidence }: Intent): readonly InspectedEndpoint[] {
    const index = this.#inspected;
    let selection = this.#selections.none;
    for (const rule of index.exact(host)) {
      if (rule.hasPort(port) && rule.admits(evidence))
        selection = this.#selections.with(selection, rule.inspected!);
    }
    for (const rule of index.wildcard(host)) {
      if (rule.hasPort(port) && hostMatches(rule.host!, host) && rule.admits(evidence))
        selection = this.#selections.with(selection, rule.inspected!);
    }
    for (const rule of index.hostless(port)) {
      if (rule.admits(evidence)) selection = this.#selections.with(selection, rule.inspected!);
    }
    return selection.endpoints;
  }

  /** Every endpoint for host and port, whoever asks. For explanations and suggestions. */
  matching(host: string, port: number): readonly EndpointRule[] {
    return this.#index.matching(host, port);
  }

  couldAllowName(host: string): boolean {
    if (isAddressLiteral(host)) return false;
    if (this.#hasHostless || this.#index.exact(host).some((rule) => rule.isUsable)) return true;
    return this.#index.wildcard(host).some((rule) => rule.isUsable && hostMatches(rule.host!, host));
  }

  couldAllowAddress(text: string, port: number): boolean {
    const address = parseAddress(text);
    if (!address) return false;
    const named = this.#index.exact(canonicalAddress(text) ?? text);
    if (named.some((rule) => rule.hasPort(port) && rule.isUsable)) return true;
    return this.#index
      .hostless(port)
      .some((rule) => rule.isUsable && within(address, rule.endpoint.allowedIps));
  }
}

/** Makes the built-in evaluator for a policy. Compile once per generation; deciding costs the same for ten or ten thousand exact hosts. */
export const compilePolicy = (
  policy: Policy,
  generation: Generation,
  options?: CompileOptions,
): BuiltinEngine => new BuiltinEngine(policy, generation, options);

function compileRules(policy: Policy, generation: Generation, options: CompileOptions): EndpointRule[] {
  const identity = options.identity ?? 'required';
  const rules = policy.networkPolicies.flatMap((network) => {
    const binaries = new BinaryMatcher(network.binaries, options.resolveBinaryPath);
    return network.endpoints.map(
      (_, index) => new EndpointRule(network, index, binaries, { generation, identity }),
    );
  });
  rules.sort(
    (a, b) =>
      compareText(a.policy.name, b.policy.name) ||
      compareText(a.ref.policy, b.ref.policy) ||
      a.ref.index - b.ref.index,
  );
  for (const [rank, rule] of rules.entries()) rule.rank = rank;
  return rules;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
