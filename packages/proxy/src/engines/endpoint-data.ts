import type { AccessPreset, Endpoint, Protocol, RequestRule } from '@openshell/policy';
import type { Json, JsonObject } from '@openshell/rego';

/** An endpoint with the names that files use, its ports always as a list and its preset written out as rules. */
export const endpointData = (endpoint: Endpoint): JsonObject => {
  const { host, ports, path, protocol, tls, enforcement, allowedIps, denyRules, signing } = endpoint;
  const rules = endpoint.rules ?? presetRules(protocol, endpoint.access);
  return present({
    host,
    ports,
    path: path || undefined,
    protocol: protocol || undefined,
    tls: tls === 'skip' ? tls : undefined,
    enforcement,
    access: endpoint.access,
    rules: rules?.map((rule) => ({ allow: ruleData(rule) })),
    deny_rules: denyRules?.map(ruleData),
    allowed_ips: allowedIps,
    allow_encoded_slash: endpoint.allowEncodedSlash || undefined,
    websocket_credential_rewrite: endpoint.websocketCredentialRewrite || undefined,
    request_body_credential_rewrite: endpoint.requestBodyCredentialRewrite || undefined,
    allow_uninspected_credentials: endpoint.allowUninspectedCredentials || undefined,
    credential_signing: signing?.mode,
    signing_service: signing?.service,
    signing_region: signing?.region,
    credential_binding: endpoint.credentialProvider && { provider: endpoint.credentialProvider },
    ...bodyOptions(endpoint),
  });
};

const bodyOptions = ({ graphql, jsonRpc, mcp }: Endpoint): Members => ({
  persisted_queries: graphql?.persistedQueries,
  graphql_max_body_bytes: graphql?.maxBodyBytes,
  graphql_persisted_queries:
    graphql &&
    Object.fromEntries(
      Object.entries(graphql.registered).map(([id, { operationType, operationName, fields }]) => [
        id,
        present({ operation_type: operationType, operation_name: operationName, fields }),
      ]),
    ),
  json_rpc: jsonRpc && { max_body_bytes: jsonRpc.maxBodyBytes },
  mcp: mcp && {
    max_body_bytes: mcp.maxBodyBytes,
    strict_tool_names: mcp.strictToolNames,
    allow_all_known_mcp_methods: mcp.allowAllKnownMethods,
  },
});

const ruleData = (rule: RequestRule): JsonObject =>
  present({
    method: rule.method,
    path: rule.path,
    command: rule.command,
    query:
      rule.query &&
      Object.fromEntries(Object.entries(rule.query).map(([name, patterns]) => [name, { any: patterns }])),
    operation_type: rule.operationType,
    operation_name: rule.operationName,
    fields: rule.fields,
    tool: rule.tools && { any: rule.tools },
  });

const READ = ['GET', 'HEAD', 'OPTIONS'];
const WRITE = ['POST', 'PUT', 'PATCH'];

/** What a preset stands for, so that rules need not know presets. */
const presetRules = (protocol: Protocol, access: AccessPreset | undefined): RequestRule[] | undefined => {
  if (access === undefined) return undefined;
  const methods = (names: readonly string[]) => names.map((method) => ({ method, path: '**' }));
  const operations = (types: readonly ('query' | 'mutation' | '*')[]) =>
    types.map((operationType) => ({ operationType }));
  switch (access) {
    case 'full':
      return protocol === 'graphql' ? operations(['*']) : methods(['*']);
    case 'read-write':
      if (protocol === 'graphql') return operations(['query', 'mutation']);
      return methods(protocol === 'websocket' ? ['GET', 'WEBSOCKET_TEXT'] : [...READ, ...WRITE]);
    case 'read-only':
      if (protocol === 'graphql') return operations(['query']);
      return methods(protocol === 'websocket' ? ['GET'] : READ);
    default:
      return access satisfies never;
  }
};

type Members = Readonly<Record<string, Json | undefined>>;

/** Without the members that are absent: rules ask for what is there. */
export const present = (members: Members): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
