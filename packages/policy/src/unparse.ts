import type { Endpoint, GraphqlOptions, Middleware, NetworkPolicy, Policy, RequestRule } from './policy.ts';

/** The policy as a file writes it: plain data, which `JSON.stringify` makes a policy file of that means the same. */
export function policyToFile({
  filesystem,
  landlock,
  process,
  networkPolicies,
  middlewares,
}: Policy): object {
  const user = process.runAsUser === undefined ? {} : { run_as_user: process.runAsUser };
  const group = process.runAsGroup === undefined ? {} : { run_as_group: process.runAsGroup };
  return {
    version: 1,
    filesystem_policy: {
      include_workdir: filesystem.includeWorkdir,
      read_only: filesystem.readOnly,
      read_write: filesystem.readWrite,
    },
    landlock,
    process: { ...user, ...group },
    network_policies: Object.fromEntries(networkPolicies.map((each) => [each.key, networkToFile(each)])),
    network_middlewares: Object.fromEntries(middlewares.map((each) => [each.key, middlewareToFile(each)])),
  };
}

const networkToFile = ({ name, endpoints, binaries }: NetworkPolicy): object => ({
  name,
  endpoints: endpoints.map(endpointToFile),
  binaries: binaries.map((path) => ({ path })),
});

export function endpointToFile(endpoint: Endpoint): object {
  const { rules, denyRules, access, protocol } = endpoint;
  return {
    ...treatmentToFile(endpoint),
    ...(protocol === '' || protocol === 'tcp' ? {} : { enforcement: endpoint.enforcement }),
    ...(access ? { access } : {}),
    ...(rules ? { rules: rules.map((rule) => ({ allow: ruleToFile(rule) })) } : {}),
    ...(denyRules ? { deny_rules: denyRules.map(ruleToFile) } : {}),
  };
}

/** Everything of an endpoint but what it allows and denies. */
export function treatmentToFile(endpoint: Endpoint): object {
  const { host, ports, path, protocol, tls, allowedIps, signing, credentialProvider, jsonRpc, mcp } =
    endpoint;
  const [port] = ports;
  return {
    ...(host === '' ? {} : { host }),
    ...(ports.length === 1 ? { port } : { ports }),
    ...(path === '' ? {} : { path }),
    ...(protocol === '' ? {} : { protocol }),
    ...(tls === 'skip' ? { tls } : {}),
    ...(allowedIps ? { allowed_ips: allowedIps } : {}),
    ...(endpoint.allowEncodedSlash ? { allow_encoded_slash: true } : {}),
    ...(endpoint.websocketCredentialRewrite ? { websocket_credential_rewrite: true } : {}),
    ...(endpoint.requestBodyCredentialRewrite ? { request_body_credential_rewrite: true } : {}),
    ...(endpoint.allowUninspectedCredentials ? { allow_uninspected_credentials: true } : {}),
    ...(endpoint.graphql ? graphqlToFile(endpoint.graphql) : {}),
    ...(signing
      ? {
          credential_signing: signing.mode,
          signing_service: signing.service,
          ...(signing.region === undefined ? {} : { signing_region: signing.region }),
        }
      : {}),
    ...(credentialProvider === undefined ? {} : { credential_binding: { provider: credentialProvider } }),
    ...(jsonRpc ? { json_rpc: { max_body_bytes: jsonRpc.maxBodyBytes } } : {}),
    ...(mcp
      ? {
          mcp: {
            max_body_bytes: mcp.maxBodyBytes,
            strict_tool_names: mcp.strictToolNames,
            allow_all_known_mcp_methods: mcp.allowAllKnownMethods,
          },
        }
      : {}),
  };
}

function graphqlToFile({ persistedQueries, registered, maxBodyBytes }: GraphqlOptions): object {
  const queries = Object.entries(registered).map(([id, { operationType, operationName, fields }]) => [
    id,
    {
      ...(operationType ? { operation_type: operationType } : {}),
      ...(operationName === undefined ? {} : { operation_name: operationName }),
      fields,
    },
  ]);
  return {
    persisted_queries: persistedQueries,
    ...(queries.length > 0 ? { graphql_persisted_queries: Object.fromEntries(queries) } : {}),
    graphql_max_body_bytes: maxBodyBytes,
  };
}

export function ruleToFile(rule: RequestRule): object {
  const { method, path, command, query, operationType, operationName, fields, tools, params, tables, from } =
    rule;
  return {
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path }),
    ...(command === undefined ? {} : { command }),
    ...(query ? { query: anyOf(query) } : {}),
    ...(operationType ? { operation_type: operationType } : {}),
    ...(operationName === undefined ? {} : { operation_name: operationName }),
    ...(fields ? { fields } : {}),
    ...(tools ? { tool: { any: tools } } : {}),
    ...(params ? { params: anyOf(params) } : {}),
    ...(tables ? { tables } : {}),
    ...(from ? { from } : {}),
  };
}

const anyOf = (patterns: Readonly<Record<string, readonly string[]>>): object =>
  Object.fromEntries(Object.entries(patterns).map(([name, any]) => [name, { any }]));

const middlewareToFile = (middleware: Middleware): object => ({
  name: middleware.name,
  middleware: middleware.middleware,
  order: middleware.order,
  config: middleware.config,
  on_error: middleware.onError,
  endpoints: { include: middleware.include, exclude: middleware.exclude },
});
