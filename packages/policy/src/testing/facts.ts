import type { OperationType } from '../policy.ts';
import type { QueryParameter, RequestContent, RequestFacts, RpcMessage, SqlEffect } from '../request.ts';

/** Facts of `METHOD /path?query`. */
export function clientFacts(
  line: string,
  content: RequestContent = { kind: 'http' },
  from: RequestFacts['from'] = 'client',
): RequestFacts {
  const [method = '', target = ''] = line.split(' ');
  const [path = '', search = ''] = target.split('?');
  const query: QueryParameter[] = [...new URLSearchParams(search)];
  return { method, path, query, content, from };
}

/** A request to /graphql with these operations. */
export function graphqlFacts(
  method: string,
  ...operations: (readonly [type: OperationType, name: string | undefined, fields: readonly string[]])[]
): RequestFacts {
  const read = operations.map(([type, name, fields]) => ({
    type,
    fields,
    ...(name === undefined ? {} : { name }),
  }));
  return clientFacts(`${method} /graphql`, { kind: 'graphql', operations: read });
}

/** A POST to /mcp with these messages. */
export const rpcFacts = (...messages: (Partial<RpcMessage> & { method: string })[]): RequestFacts =>
  clientFacts('POST /mcp', {
    kind: 'rpc',
    messages: messages.map((message) => ({ kind: 'request', params: [], ...message })),
    receiveStream: false,
  });

/** A query text of these statements. */
export const sqlFacts = (
  ...statements: (readonly [command: string, effect: SqlEffect, ...tables: string[]])[]
): RequestFacts =>
  clientFacts('QUERY /', {
    kind: 'sql',
    statements: statements.map(([command, effect, ...tables]) => ({ command, effect, tables })),
  });
