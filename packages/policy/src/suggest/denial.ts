import type { OperationType, Protocol } from '../policy.ts';
import type { RequestContent, RequestFacts, SqlEffect } from '../request.ts';

/** What was inside a refused request, where its protocol lets policy speak about it. */
export type DenialOperation =
  | {
      readonly kind: 'graphql';
      readonly type: OperationType;
      readonly name?: string;
      readonly fields: readonly string[];
    }
  | { readonly kind: 'rpc'; readonly method: string; readonly tool?: string }
  | {
      readonly kind: 'sql';
      readonly command: string;
      readonly effect: SqlEffect;
      readonly tables: readonly string[];
    };

/** Something that was refused, as events report it: equal ones counted together. */
export interface Denial {
  readonly sandbox: string;
  /** Path of the executable; absent when nobody could tell who asked. */
  readonly binary?: string;
  /** Canonical. */
  readonly host: string;
  readonly port: number;
  readonly stage: 'connect' | 'request' | 'message' | 'statement';
  /** How it was inspected; empty for a connection. */
  readonly protocol: Protocol;
  /** Of the request, or `WEBSOCKET_TEXT` and `WEBSOCKET_BINARY`. */
  readonly method?: string;
  /** Canonical, without query. */
  readonly path?: string;
  readonly operation?: DenialOperation;
  readonly from?: 'server';
  /** Place of the endpoint or rule that refused. */
  readonly rule?: string;
  readonly count: number;
  /** Of the decision, or of the check that refused (`ssrf_denied`, ...). */
  readonly code: string;
}

/** The refused request as policy saw it, as far as the denial tells. */
export function factsOf(denial: Denial): RequestFacts {
  const { method = 'GET', path = '/', from = 'client' } = denial;
  return { method, path, query: [], content: contentOf(denial), from };
}

function contentOf({ operation, stage, protocol }: Denial): RequestContent {
  if (stage === 'message') {
    const graphql = operation?.kind === 'graphql' ? operation : undefined;
    return { kind: 'message', ...(graphql ? { graphql } : {}) };
  }
  switch (operation?.kind) {
    case 'graphql':
      return { kind: 'graphql', operations: [operation] };
    case 'rpc':
      return { kind: 'rpc', messages: [{ ...operation, kind: 'request', params: [] }], receiveStream: false };
    case 'sql':
      return { kind: 'sql', statements: [operation] };
    case undefined:
      return protocol === 'mcp' || protocol === 'json-rpc'
        ? { kind: 'rpc', messages: [], receiveStream: false }
        : { kind: 'http' };
    default:
      return operation satisfies never;
  }
}
