import { compileGlob, type Glob, globMatches } from '../../glob/glob.ts';
import type { RequestRule } from '../../policy.ts';
import type { RequestFacts } from '../../request.ts';
import type { Matcher } from './matcher.ts';
import { ParameterMatcher, type Quantifier } from './patterns.ts';

/** A rule about the head of a request: method, path and query. On WebSocket endpoints also about messages, by their method. */
export class HttpMatcher implements Matcher {
  /** Undefined: every method. */
  readonly #method: string | undefined;
  /** Undefined: every path. */
  readonly #path: Glob | undefined;
  readonly #query: ParameterMatcher | undefined;
  readonly #messages: boolean;

  constructor(rule: RequestRule, quantifier: Quantifier, options: { readonly messages: boolean }) {
    this.#method = rule.method === '*' ? undefined : rule.method;
    this.#path = rule.path === undefined || rule.path === '**' ? undefined : compileGlob(rule.path, '/');
    this.#query = rule.query && new ParameterMatcher(rule.query, quantifier);
    this.#messages = options.messages;
  }

  matches({ method, path, query, content }: RequestFacts): boolean {
    if (content.kind === 'sql' || (content.kind === 'message' && !this.#messages)) return false;
    // HEAD asks for what GET would send (RFC 9110 section 9.3.2).
    const wanted = this.#method;
    if (wanted !== undefined && method !== wanted && !(method === 'HEAD' && wanted === 'GET')) return false;
    if (this.#path && !globMatches(this.#path, path)) return false;
    return this.#query === undefined || this.#query.matches(query);
  }
}
