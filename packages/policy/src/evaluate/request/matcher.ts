import type { RequestFacts } from '../../request.ts';

/** What one rule asks of one part of a request: an operation, a message, a statement, or the request itself. */
export interface Matcher {
  /** `index` is the part's position in the content; a request that has no parts is asked about with 0. */
  matches(facts: RequestFacts, index: number): boolean;
}

/** How many parts the rules decide about one by one. */
export function partsOf({ content }: RequestFacts): number {
  switch (content.kind) {
    case 'http':
      return 1;
    case 'graphql':
      return content.operations.length;
    case 'rpc':
      return content.messages.length;
    case 'sql':
      return content.statements.length;
    case 'message':
    case 'malformed':
      return 1;
    default:
      return content satisfies never;
  }
}
