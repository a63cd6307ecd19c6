import type { Endpoint, OperationType, PersistedQuery, Protocol } from '../policy.ts';
import type { RawEndpoint } from '../schema/policy-schema.ts';

const DEFAULT_BODY_BYTES = 65_536;

/** GraphQL options of an endpoint that can carry GraphQL. */
export function readGraphqlOptions(raw: RawEndpoint, protocol: Protocol): Pick<Endpoint, 'graphql'> {
  if (protocol !== 'graphql' && protocol !== 'websocket') return {};
  const registered = [...(raw.graphql_persisted_queries ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    graphql: {
      persistedQueries: raw.persisted_queries === 'allow_registered' ? 'allow_registered' : 'deny',
      registered: Object.fromEntries(registered.map(([id, query]) => [id, persistedQuery(query)])),
      maxBodyBytes: raw.graphql_max_body_bytes ?? DEFAULT_BODY_BYTES,
    },
  };
}

type RawPersistedQuery =
  NonNullable<RawEndpoint['graphql_persisted_queries']> extends Map<string, infer Query> ? Query : never;

function persistedQuery(raw: RawPersistedQuery): PersistedQuery {
  return {
    ...(raw.operation_type ? { operationType: raw.operation_type as OperationType } : {}),
    ...(raw.operation_name ? { operationName: raw.operation_name } : {}),
    fields: raw.fields ?? [],
  };
}

/** Options of the two JSON-RPC protocols. */
export function readMcpOptions(raw: RawEndpoint, protocol: Protocol): Pick<Endpoint, 'jsonRpc' | 'mcp'> {
  if (protocol === 'json-rpc')
    return { jsonRpc: { maxBodyBytes: raw.json_rpc?.max_body_bytes ?? DEFAULT_BODY_BYTES } };
  if (protocol !== 'mcp') return {};
  return {
    mcp: {
      maxBodyBytes: raw.mcp?.max_body_bytes ?? DEFAULT_BODY_BYTES,
      strictToolNames: raw.mcp?.strict_tool_names ?? true,
      allowAllKnownMethods: raw.mcp?.allow_all_known_mcp_methods ?? false,
    },
  };
}
