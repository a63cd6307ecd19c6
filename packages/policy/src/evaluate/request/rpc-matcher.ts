import { compileGlob, type Glob, globMatches } from '../../glob/glob.ts';
import type { Endpoint, RequestRule } from '../../policy.ts';
import type { RequestFacts } from '../../request.ts';
import type { Matcher } from './matcher.ts';
import { isMcpMethod } from './mcp-methods.ts';
import { compileValues, ParameterMatcher, type Quantifier, someMatches } from './patterns.ts';

/** A rule about JSON-RPC calls and notifications. Responses are no rule's business: see `endpoint.ts`. */
export class RpcMatcher implements Matcher {
  readonly #method: string | undefined;
  readonly #methods: Glob | undefined;
  /** Patterns that allow reach only methods whose meaning is known. */
  readonly #knownOnly: boolean;
  readonly #tools: readonly Glob[] | undefined;
  readonly #params: ParameterMatcher | undefined;

  constructor(rule: RequestRule, quantifier: Quantifier, protocol: Endpoint['protocol']) {
    const method = rule.method ?? (rule.tools ? 'tools/call' : '*');
    // JSON-RPC knows no patterns but the one for every method.
    const glob = method === '*' || protocol === 'mcp' ? compileGlob(method, 'none') : undefined;
    const isPattern = glob !== undefined && glob.literal === undefined;
    this.#method = isPattern ? undefined : method;
    this.#methods = isPattern ? glob : undefined;
    this.#knownOnly = isPattern && protocol === 'mcp' && quantifier === 'every';
    this.#tools = rule.tools && compileValues(rule.tools);
    this.#params = rule.params && new ParameterMatcher(rule.params, quantifier);
  }

  matches({ content }: RequestFacts, index: number): boolean {
    const message = content.kind === 'rpc' ? content.messages[index] : undefined;
    if (!message || message.kind === 'response') return false;
    if (this.#method !== undefined && message.method !== this.#method) return false;
    if (this.#methods && !globMatches(this.#methods, message.method)) return false;
    if (this.#knownOnly && !isMcpMethod(message.method)) return false;
    if (this.#tools && (message.tool === undefined || !someMatches(this.#tools, message.tool))) return false;
    return this.#params === undefined || this.#params.matches(message.params);
  }
}
