import type { Endpoint, QueryParameter, RequestContent } from '@openshell/policy';
import type { RequestMessage } from '../exchange/exchange.ts';
import type { GraphqlReader } from '../graphql/graphql-reader.ts';
import type { Limits } from '../limits.ts';
import { readRpcRequest } from '../rpc/rpc-request.ts';

const HTTP: RequestContent = { kind: 'http' };
const SQL: RequestContent = {
  kind: 'malformed',
  reason: 'the endpoint speaks the protocol of PostgreSQL, and this is HTTP',
};

/** How long a body policy has to see before it can decide, in bytes; undefined: it does not look into bodies here. */
export function inspectedBodyBytes(
  endpoint: Endpoint | undefined,
  request: RequestMessage,
): number | undefined {
  switch (endpoint?.protocol) {
    case 'graphql':
      return endpoint.graphql?.maxBodyBytes ?? 0;
    case 'json-rpc':
      return endpoint.jsonRpc?.maxBodyBytes ?? 0;
    case 'mcp':
      return request.method === 'POST' ? (endpoint.mcp?.maxBodyBytes ?? 0) : 0;
    default:
      return undefined;
  }
}

export interface ContentOptions {
  readonly endpoint: Endpoint | undefined;
  readonly request: RequestMessage;
  readonly query: readonly QueryParameter[];
  readonly body: Buffer;
  readonly limits: Limits;
  readonly graphql: GraphqlReader | undefined;
}

/** What is inside a request, as far as its endpoint's protocol lets policy speak about it. */
export function readContent({
  endpoint,
  request,
  query,
  body,
  limits,
  graphql,
}: ContentOptions): RequestContent {
  const { method, fields } = request;
  switch (endpoint?.protocol) {
    case 'graphql':
      if (graphql === undefined || endpoint.graphql === undefined)
        return { kind: 'malformed', reason: 'the GraphQL parser is not there' };
      return graphql.readRequest({ method, query, fields, body, options: endpoint.graphql });
    case 'json-rpc':
    case 'mcp':
      return readRpcRequest(
        {
          method,
          fields,
          body,
          dialect: {
            protocol: endpoint.protocol,
            strictToolNames: endpoint.mcp?.strictToolNames ?? true,
          },
        },
        limits,
      );
    case 'sql':
      return SQL;
    default:
      return HTTP;
  }
}

/** A few words for the record: operations, methods, tools. */
export function describeContent(content: RequestContent): string | undefined {
  switch (content.kind) {
    case 'graphql':
      return join(
        content.operations.map(({ type, name, fields }) => `${type} ${name ?? ''}{${fields.join(' ')}}`),
      );
    case 'rpc':
      return join(
        content.messages.map(
          ({ kind, method, tool }) => `${method || kind}${tool === undefined ? '' : ` ${tool}`}`,
        ),
      );
    case 'sql':
      return join(
        content.statements.map(({ command, tables }) => `${command} ${tables.join(' ')}`.trimEnd()),
      );
    default:
      return undefined;
  }
}

const MAX_SHOWN = 200;
const join = (parts: readonly string[]): string | undefined =>
  parts.length === 0 ? undefined : parts.join('; ').slice(0, MAX_SHOWN);
