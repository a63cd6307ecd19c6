import type {
  GraphqlOperation,
  QueryParameter,
  RequestContent,
  RequestFacts,
  RpcMessage,
} from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';
import { type Table, table } from './patterns-data.ts';

/** One request as the rules see it (docs/rego.md, "Requests"). */
export const requestMembers = ({ method, path, query, content, from }: RequestFacts): JsonObject => ({
  method,
  path,
  query_params: valuesByName(query),
  from,
  ...contentData(content),
});

/** What is inside, under the name of its kind. */
const contentData = (content: RequestContent): JsonObject => {
  switch (content.kind) {
    case 'http':
      return {};
    case 'graphql':
      return { graphql: { operations: content.operations.map(operationData) } };
    case 'rpc':
      return {
        jsonrpc: {
          messages: content.messages.map(messageData),
          has_response: content.messages.some(({ kind }) => kind === 'response'),
          receive_stream: content.receiveStream,
        },
      };
    case 'message':
      return { websocket: socketMessageData(content.graphql) };
    case 'sql':
      return { sql: { statements: content.statements.map((statement) => ({ ...statement })) } };
    case 'malformed':
      return { error: content.reason };
    default:
      return content satisfies never;
  }
};

const operationData = ({ type, name, fields, persisted }: GraphqlOperation): JsonObject => ({
  operation_type: type,
  // An operation without a name has the empty one.
  operation_name: name ?? '',
  fields,
  persisted_query: persisted !== undefined,
  ...(persisted === undefined ? {} : { persisted_query_id: persisted }),
});

const messageData = ({ kind, method, tool, params }: RpcMessage): JsonObject => ({
  kind,
  method,
  ...(tool === undefined ? {} : { tool }),
  params: valuesByName(params),
});

const socketMessageData = (graphql: GraphqlOperation | 'control' | undefined): JsonObject => {
  if (graphql === undefined) return {};
  return graphql === 'control' ? { control: true } : { graphql: operationData(graphql) };
};

const valuesByName = (parameters: readonly QueryParameter[]): JsonObject => {
  const values: Table<string[]> = table();
  for (const [name, value] of parameters) {
    const list = values[name];
    if (list) list.push(value);
    else values[name] = [value];
  }
  return values;
};
