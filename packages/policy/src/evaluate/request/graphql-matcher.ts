import { compileGlob, type Glob, globMatches } from '../../glob/glob.ts';
import type { RequestRule } from '../../policy.ts';
import type { GraphqlOperation, RequestContent, RequestFacts } from '../../request.ts';
import type { Matcher } from './matcher.ts';
import { compileValues, type Quantifier, someMatches } from './patterns.ts';

/** A rule about GraphQL operations, in the body of a request or in a message. */
export class GraphqlMatcher implements Matcher {
  /** Undefined: every type. */
  readonly #type: string | undefined;
  readonly #name: Glob | undefined;
  readonly #fields: readonly Glob[] | undefined;
  readonly #quantifier: Quantifier;

  constructor(rule: RequestRule, quantifier: Quantifier) {
    this.#type = rule.operationType === '*' ? undefined : rule.operationType;
    this.#name = rule.operationName === undefined ? undefined : compileGlob(rule.operationName, 'none');
    this.#fields = rule.fields && compileValues(rule.fields);
    this.#quantifier = quantifier;
  }

  matches({ content }: RequestFacts, index: number): boolean {
    const operation = operationAt(content, index);
    if (!operation) return false;
    if (this.#type !== undefined && operation.type !== this.#type) return false;
    // An operation without a name has the empty one.
    if (this.#name && !globMatches(this.#name, operation.name ?? '')) return false;
    return this.#fields === undefined || this.#fieldsMatch(this.#fields, operation.fields);
  }

  #fieldsMatch(globs: readonly Glob[], fields: readonly string[]): boolean {
    if (this.#quantifier === 'some') return fields.some((field) => someMatches(globs, field));
    // A registered query may be without known fields; a rule that lists fields cannot vouch for it.
    return fields.length > 0 && fields.every((field) => someMatches(globs, field));
  }
}

export function operationAt(content: RequestContent, index: number): GraphqlOperation | undefined {
  if (content.kind === 'graphql') return content.operations[index];
  return content.kind === 'message' && typeof content.graphql === 'object' ? content.graphql : undefined;
}
