import type { Generation } from '@openshell/base';
import type { EndpointRef } from '../../engine.ts';
import { compileGlob, type Glob, globMatches } from '../../glob/glob.ts';
import type { Endpoint, NetworkPolicy, RequestRule } from '../../policy.ts';
import { formatPath } from '../../problem.ts';
import type { RequestDecision, RequestFacts, Treatment } from '../../request.ts';
import { GraphqlMatcher } from './graphql-matcher.ts';
import { HttpMatcher } from './http-matcher.ts';
import type { Matcher } from './matcher.ts';
import { isMcpMethod } from './mcp-methods.ts';
import type { Quantifier } from './patterns.ts';
import { type ExpandedRule, presetRules } from './presets.ts';
import { RpcMatcher } from './rpc-matcher.ts';
import { pathWeight, Selection } from './selection.ts';
import { SqlMatcher } from './sql-matcher.ts';

type RequestAllowed = Extract<RequestDecision, { action: 'allow' | 'audit' }>;

/** One rule of one endpoint, with what is answered when it allows. */
export interface CompiledRule {
  /** As in `network_policies.github.endpoints[0].rules[2]`. */
  readonly place: string;
  readonly from: RequestFacts['from'];
  readonly matcher: Matcher;
  readonly allowed: RequestAllowed;
}

/**
 * Who may allow what: a request is read in one way, that of the most specific endpoint for its path, and only endpoints which read
 * requests in that way can say that it is harmless. Plain HTTP and the opening of a WebSocket are read alike.
 */
export type Reading = 'http' | 'graphql' | 'json-rpc' | 'mcp' | 'sql';

const READINGS: Readonly<Record<Endpoint['protocol'], Reading>> = {
  '': 'http',
  tcp: 'http',
  rest: 'http',
  websocket: 'http',
  graphql: 'graphql',
  'json-rpc': 'json-rpc',
  mcp: 'mcp',
  sql: 'sql',
};

/** An inspected endpoint, compiled: whether it allows a part of a request, and whether it denies it. */
export class InspectedEndpoint implements Treatment {
  readonly ref: EndpointRef;
  readonly policy: string;
  readonly endpoint: Endpoint;
  /** As in `network_policies.github.endpoints[0]`. */
  readonly place: string;
  readonly reading: Reading;
  /** How specific the path selector is: the number of characters other than `*`. */
  readonly weight: number;
  /** Smaller comes first among selectors of one weight. Set once, when all endpoints are known. */
  rank = 0;
  /** Some allow rule is about what the server sends: then it may send nothing else. */
  readonly limitsServer: boolean;
  readonly rules: readonly CompiledRule[];
  readonly denyRules: readonly CompiledRule[];
  /** The set of this one endpoint. */
  readonly alone: Selection;
  /** The answer where no single rule allows, but the endpoint does. */
  readonly allowed: RequestAllowed;
  readonly #path: Glob | undefined;
  readonly #generation: Generation;
  /** Some allow rule speaks of GraphQL in messages: then nothing else lets messages through. */
  readonly #allowsOperations: boolean;
  readonly #readsOperations: boolean;
  readonly #allowsSession: boolean;

  constructor(policy: NetworkPolicy, ref: EndpointRef, generation: Generation) {
    const endpoint = policy.endpoints[ref.index]!;
    this.ref = ref;
    this.policy = policy.name;
    this.endpoint = endpoint;
    this.place = formatPath(['network_policies', policy.key, 'endpoints', ref.index]);
    this.reading = READINGS[endpoint.protocol];
    this.weight = pathWeight(endpoint.path);
    this.#generation = generation;
    this.#path = endpoint.path === '' || endpoint.path === '**' ? undefined : compileGlob(endpoint.path, '/');
    this.allowed = this.#allow(this.place);
    const written = endpoint.rules ?? [];
    const denied = endpoint.denyRules ?? [];
    this.rules = this.#compileAllowed(written);
    this.denyRules = denied.map((rule, index) =>
      this.#compile(rule, `${this.place}.deny_rules[${index}]`, 'some'),
    );
    this.limitsServer = this.rules.some(({ from }) => from === 'server');
    this.#allowsOperations = endpoint.protocol === 'websocket' && written.some(isGraphqlRule);
    this.#readsOperations = readsGraphqlMessages(this);
    this.alone = new Selection([this]);
    this.#allowsSession = this.rules.some(
      ({ from, matcher }) => from === 'client' && matcher.matches(INITIALIZE, 0),
    );
  }

  matches(path: string): boolean {
    return this.#path === undefined || globMatches(this.#path, path);
  }

  /** The answer when the part is allowed here. */
  allowing(facts: RequestFacts, index: number): RequestAllowed | undefined {
    const { content } = facts;
    switch (this.endpoint.protocol) {
      case 'rest':
        return this.#byRule(facts, index);
      case 'graphql':
        return isGraphqlMethod(facts, index) ? this.#byRule(facts, index) : undefined;
      case 'json-rpc':
        return facts.method === 'POST' || facts.from === 'server' ? this.#byRule(facts, index) : undefined;
      case 'mcp':
        return this.#allowingMcp(facts, index);
      case 'websocket':
        return content.kind === 'message' && facts.from === 'client'
          ? this.#allowingMessage(facts)
          : this.#byRule(facts, index);
      case 'sql':
        // A text without statements executes nothing.
        return content.kind === 'sql' && content.statements.length === 0
          ? this.allowed
          : this.#byRule(facts, index);
      case '':
      case 'tcp':
        return undefined;
      default:
        return this.endpoint.protocol satisfies never;
    }
  }

  /** The deny rule that the part falls under. */
  denying(facts: RequestFacts, index: number): CompiledRule | undefined {
    for (const rule of this.denyRules)
      if (rule.from === facts.from && rule.matcher.matches(facts, index)) return rule;
    return undefined;
  }

  /** Whether the part would be allowed under other rules. For remedies. */
  wouldAllow(rules: readonly ExpandedRule[], facts: RequestFacts, index: number): boolean {
    return rules.some((rule) => compileMatcher(rule, 'every', this.endpoint.protocol).matches(facts, index));
  }

  #byRule(facts: RequestFacts, index: number): RequestAllowed | undefined {
    for (const rule of this.rules)
      if (rule.from === facts.from && rule.matcher.matches(facts, index)) return rule.allowed;
    return undefined;
  }

  /** MCP's Streamable HTTP: POST with messages, GET for the server's stream, DELETE to end the session. */
  #allowingMcp(facts: RequestFacts, index: number): RequestAllowed | undefined {
    const { content, from, method } = facts;
    if (content.kind !== 'rpc') return undefined;
    if (from === 'server') return this.#byRule(facts, index);
    const message = content.messages[index];
    if (!message) {
      const opensStream = method === 'GET' && content.receiveStream && this.rules.some(isAboutClient);
      return opensStream || (method === 'DELETE' && this.#allowsSession) ? this.allowed : undefined;
    }
    if (method !== 'POST') return undefined;
    // A response answers what the server was allowed to ask.
    return message.kind === 'response' ? this.allowed : this.#byRule(facts, index);
  }

  #allowingMessage(facts: RequestFacts): RequestAllowed | undefined {
    const operation = facts.content.kind === 'message' ? facts.content.graphql : undefined;
    // Beside rules about operations, a message that could not be read as GraphQL is one that they could not be asked about.
    if (this.#readsOperations && operation === undefined) return undefined;
    if (!this.#allowsOperations) return this.#byRule(facts, 0);
    if (operation === 'control') return this.allowed;
    return this.rules.find(
      ({ matcher, from }) =>
        from === 'client' && matcher instanceof GraphqlMatcher && matcher.matches(facts, 0),
    )?.allowed;
  }

  #compileAllowed(written: readonly RequestRule[]): CompiledRule[] {
    const { access, protocol, mcp } = this.endpoint;
    if (access)
      return presetRules(protocol, access).map((rule) =>
        this.#compile(rule, `${this.place}.access`, 'every'),
      );
    const rules = written.map((rule, index) => this.#compile(rule, `${this.place}.rules[${index}]`, 'every'));
    if (!mcp?.allowAllKnownMethods) return rules;
    // Rules about single tools or arguments would be pointless if every call of a tool were allowed beside them.
    const calls = !written.some(narrowsToolCalls);
    const place = `${this.place}.mcp.allow_all_known_mcp_methods`;
    const matcher: Matcher = { matches: ({ content }, index) => isKnownCall(content, index, calls) };
    return [...rules, { place, from: 'client', matcher, allowed: this.#allow(place) }];
  }

  #compile(rule: ExpandedRule, place: string, quantifier: Quantifier): CompiledRule {
    const matcher = compileMatcher(rule, quantifier, this.endpoint.protocol);
    return { place, from: rule.from ?? 'client', matcher, allowed: this.#allow(place) };
  }

  #allow(rule: string): RequestAllowed {
    return Object.freeze({
      action: 'allow',
      generation: this.#generation,
      reason: `allowed by ${rule}`,
      policy: this.policy,
      endpoint: this.ref,
      rule,
    });
  }
}

const INITIALIZE: RequestFacts = {
  method: 'POST',
  path: '/',
  query: [],
  content: {
    kind: 'rpc',
    messages: [{ kind: 'request', method: 'initialize', params: [] }],
    receiveStream: false,
  },
  from: 'client',
};

/** Whether what the server sends to the workload must be read and asked about: some rule is about it. */
export const wantsServerMessages = ({ endpoint }: Treatment): boolean =>
  [...(endpoint.rules ?? []), ...(endpoint.denyRules ?? [])].some(({ from }) => from === 'server');

/** Whether messages of a WebSocket are to be read as GraphQL: some rule is about operations. */
export const readsGraphqlMessages = ({ endpoint }: Pick<Treatment, 'endpoint'>): boolean =>
  endpoint.protocol === 'websocket' &&
  [...(endpoint.rules ?? []), ...(endpoint.denyRules ?? [])].some(isGraphqlRule);

const isAboutClient = ({ from }: CompiledRule): boolean => from === 'client';

const isGraphqlRule = (rule: RequestRule): boolean =>
  rule.operationType !== undefined || rule.operationName !== undefined || rule.fields !== undefined;

/** GET must change nothing (RFC 9110 section 9.2.1), so it may carry queries only. */
function isGraphqlMethod({ method, content }: RequestFacts, index: number): boolean {
  if (method === 'POST') return true;
  if (method !== 'GET' && method !== 'HEAD') return false;
  return content.kind === 'graphql' && content.operations[index]?.type === 'query';
}

const narrowsToolCalls = (rule: RequestRule): boolean =>
  rule.from === undefined &&
  (rule.tools !== undefined || (rule.params !== undefined && rule.method === 'tools/call'));

function isKnownCall(content: RequestFacts['content'], index: number, toolCalls: boolean): boolean {
  const message = content.kind === 'rpc' ? content.messages[index] : undefined;
  if (!message || message.kind === 'response') return false;
  return isMcpMethod(message.method) && (toolCalls || message.method !== 'tools/call');
}

function compileMatcher(rule: ExpandedRule, quantifier: Quantifier, protocol: Endpoint['protocol']): Matcher {
  switch (protocol) {
    case 'rest':
      return new HttpMatcher(rule, quantifier, { messages: false });
    case 'websocket':
      return isGraphqlRule(rule)
        ? new GraphqlMatcher(rule, quantifier)
        : new HttpMatcher(rule, quantifier, { messages: true });
    case 'graphql':
      return new GraphqlMatcher(rule, quantifier);
    case 'json-rpc':
    case 'mcp':
      return new RpcMatcher(rule, quantifier, protocol);
    case 'sql':
      return new SqlMatcher(rule, quantifier);
    case '':
    case 'tcp':
      return { matches: () => false };
    default:
      return protocol satisfies never;
  }
}
