import type { GraphqlOptions, QueryParameter, RequestContent } from '@openshell/policy';
import type { HeaderField } from '../http/request-head.ts';
import type { JsonLimits } from '../json/strict-json.ts';
import type { Limits } from '../limits.ts';
import { DocumentReader } from './document.ts';
import { readHttpRequest } from './http-request.ts';
import { readSocketMessage } from './socket-message.ts';

export type GraphqlLimits = JsonLimits & Pick<Limits, 'graphqlTokens' | 'graphqlDepth' | 'graphqlOperations'>;

export interface GraphqlHttpRequest {
  readonly method: string;
  /** Of the URL, decoded as forms are (`+` is a space), because GraphQL over HTTP encodes them so. */
  readonly query: readonly QueryParameter[];
  readonly fields: readonly HeaderField[];
  /** All of it; the caller has bounded it by `options.maxBodyBytes`. */
  readonly body: Buffer;
  readonly options: GraphqlOptions;
}

export interface GraphqlReader {
  /** GraphQL over HTTP: content of kind `graphql` or `malformed`. */
  readRequest(request: GraphqlHttpRequest): RequestContent;
  /** One text message of a client that speaks GraphQL over WebSocket: content of kind `message` or `malformed`. */
  readMessage(text: string, options: GraphqlOptions): RequestContent;
}

/** Loads the parser with the first call; programs without GraphQL endpoints never pay for it. */
export async function loadGraphqlReader(limits: GraphqlLimits): Promise<GraphqlReader> {
  const documents = new DocumentReader(await import('graphql/language'), limits);
  return {
    readRequest: (request) => readHttpRequest(request, documents, limits),
    readMessage: (text, options) => readSocketMessage(text, options, documents, limits),
  };
}
