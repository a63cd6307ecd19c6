import { POLICY_LIMITS as LIMITS } from '../limits.ts';
import { data, flag, integer, list, map, object, patterns, type Read, text } from './schema.ts';

const MAX_PORT = 65_535;
const MAX_BODY = 16 * 1024 * 1024;
const MAX_I32 = 2_147_483_647;
const DEFAULT_BODY = '65536';

const OPERATION_TYPES = ['query', 'mutation', 'subscription', '*'];
const path = text({ maxBytes: LIMITS.pathBytes });
const body = integer(1, MAX_BODY);

/** The fields that allow rules and deny rules share. */
const MATCHER = {
  method: {
    type: text(),
    doc: 'HTTP method in any case (`GET` covers `HEAD`), `WEBSOCKET_TEXT` or `WEBSOCKET_BINARY` for messages, or the JSON-RPC or MCP method; `*` for every one. To allow MCP methods, patterns reach only those that MCP defines.',
  },
  path: { type: text(), doc: 'Path pattern, starts with `/` or is `**`.' },
  command: {
    type: text(),
    doc: 'Pattern for the leading keywords of an SQL statement, in any case: `SELECT`, `CREATE TABLE`, `DROP *`, `*`.',
  },
  tables: {
    type: list(text(), LIMITS.ruleValues, { nonEmpty: true }),
    doc: 'Patterns for the tables that an SQL statement names, as `schema.table` or `table`. To allow, every table must match one as it is written; to deny, one is enough, and a schema that either leaves out may be any.',
  },
  query: {
    type: map('parameter', patterns(LIMITS.ruleValues, true), LIMITS.ruleValues),
    doc: 'Value patterns by parameter: `name: "v*"` or `name: { any: [a, b] }`. To allow, every value of every listed parameter must match; to deny, one is enough.',
  },
  operation_type: { type: text({ oneOf: OPERATION_TYPES }), doc: 'GraphQL operation type.' },
  operation_name: { type: text(), doc: 'Pattern for the GraphQL operation name.' },
  fields: {
    type: list(text(), LIMITS.ruleValues, { nonEmpty: true }),
    doc: 'Patterns for GraphQL root fields. To allow, every selected field must match one; to deny, one is enough.',
  },
  tool: {
    type: patterns(LIMITS.ruleValues, false),
    doc: 'MCP tool name pattern, or `{ any: [a, b] }`; with `method: tools/call`.',
  },
  params: {
    type: map('parameter', data, LIMITS.ruleValues),
    doc: 'JSON-RPC and MCP: patterns by parameter, `arguments.path: "/work/**"`, or `{ any: [a, b] }`; nested mappings are joined with dots, positions in lists do not count. To allow, every listed parameter must be there and all its values match; to deny, one value is enough. In MCP calls of tools, `name` is another way to write `tool`.',
  },
  from: {
    type: text({ oneOf: ['client', 'server'] }),
    default: 'client',
    doc: '`server`: the rule is about what the server sends to the workload. JSON-RPC, MCP and WebSocket messages. Responses are always allowed; without a rule that allows, so is everything else that no rule denies.',
  },
} as const;

const MATCHER_SCHEMA = object(
  'Deny rule',
  'What a request must be like for the rule to apply. What is left out does not matter.',
  MATCHER,
);

const RULE_SCHEMA = object('Rule', 'One kind of request that is allowed.', {
  allow: {
    type: object('Allow', 'The same fields as in a deny rule.', MATCHER),
    doc: 'What is allowed.',
    required: true,
  },
});

const PERSISTED_QUERY_SCHEMA = object('Persisted query', 'What a registered GraphQL query is known to do.', {
  operation_type: {
    type: text({ oneOf: ['query', 'mutation', 'subscription'] }),
    doc: 'Its operation type.',
    required: true,
  },
  operation_name: { type: text(), doc: 'Its operation name.' },
  fields: { type: list(text(), LIMITS.ruleValues), doc: 'The root fields it selects.' },
});

const ENDPOINT_SCHEMA = object('Endpoint', 'One host and its ports, and how traffic to them is treated.', {
  host: {
    type: text({ maxBytes: 254 }),
    doc: 'Exact name, IP address, or name with wildcards. May be left out when `allowed_ips` is there: then any host on the ports.',
  },
  port: { type: integer(1, MAX_PORT), doc: 'The port. Either this or `ports`.' },
  ports: {
    type: list(integer(1, MAX_PORT), LIMITS.ports, { nonEmpty: true }),
    doc: 'Several ports. Either this or `port`.',
  },
  path: {
    type: text(),
    default: 'every path',
    doc: 'Path pattern that selects among endpoints of one host and port; starts with `/` or is `**`.',
  },
  protocol: {
    type: text({
      oneOf: ['', 'tcp', 'rest', 'websocket', 'graphql', 'json-rpc', 'mcp', 'sql'],
      anyCase: true,
    }),
    default: 'not inspected',
    doc: 'How traffic is inspected. `tcp`: not at all, for clients that know no proxy.',
  },
  tls: {
    type: text({ oneOf: ['', 'auto', 'skip', 'terminate', 'passthrough'] }),
    default: 'auto',
    doc: '`auto`: TLS is found by its first bytes and opened where inspection needs it. `skip`: never opened. `terminate` and `passthrough` are old words for `auto`.',
  },
  enforcement: {
    type: text({ oneOf: ['enforce', 'audit'] }),
    default: 'enforce',
    doc: '`enforce`: what the rules do not allow is refused. `audit`: it is let through and reported.',
  },
  access: {
    type: text({ oneOf: ['read-only', 'read-write', 'full'] }),
    doc: 'A preset instead of `rules`: see "Presets".',
  },
  rules: {
    type: list(RULE_SCHEMA, LIMITS.rules, { nonEmpty: true }),
    doc: 'What requests are allowed. Either this or `access`.',
  },
  deny_rules: {
    type: list(MATCHER_SCHEMA, LIMITS.rules, { nonEmpty: true }),
    doc: 'What is refused although it is allowed otherwise. Needs `protocol` and something that is allowed.',
  },
  allowed_ips: {
    type: list(text(), LIMITS.allowedIps),
    doc: 'Addresses and CIDR blocks that the host may have; nothing else then.',
  },
  allow_encoded_slash: {
    type: flag,
    default: 'false',
    doc: 'Keeps `%2F` inside a path segment instead of refusing the request.',
  },
  websocket_credential_rewrite: {
    type: flag,
    default: 'false',
    doc: 'Puts credentials into text messages from the client. `rest` and `websocket`.',
  },
  request_body_credential_rewrite: {
    type: flag,
    default: 'false',
    doc: 'Puts credentials into JSON, form and text bodies. `rest`; not with `credential_signing`.',
  },
  allow_uninspected_credentials: {
    type: flag,
    default: 'false',
    doc: 'Lets an endpoint for which a provider has credentials go without inspection.',
  },
  persisted_queries: {
    type: text({ oneOf: ['deny', 'allow_registered'] }),
    default: 'deny',
    doc: 'GraphQL requests that carry a hash instead of a query.',
  },
  graphql_persisted_queries: {
    type: map('id', PERSISTED_QUERY_SCHEMA, LIMITS.persistedQueries),
    doc: 'The registered queries by hash or id.',
  },
  graphql_max_body_bytes: {
    type: body,
    default: DEFAULT_BODY,
    doc: 'Longest GraphQL request body, in bytes.',
  },
  credential_signing: {
    type: text({ oneOf: ['', 'sigv4', 'sigv4:body', 'sigv4:no_body'] }),
    doc: 'Signs requests with AWS Signature Version 4. Needs `signing_service`.',
  },
  signing_service: { type: text(), doc: 'AWS service name.' },
  signing_region: { type: text(), default: 'from the host', doc: 'AWS region.' },
  credential_binding: {
    type: object('Credential binding', 'Ties a provider without endpoints of its own to this endpoint.', {
      provider: { type: text(), doc: 'Name of the provider.', required: true },
    }),
    doc: 'Whose credentials may be used here.',
  },
  json_rpc: {
    type: object('JSON-RPC options', 'Only with `protocol: json-rpc`.', {
      max_body_bytes: { type: body, default: DEFAULT_BODY, doc: 'Longest request body, in bytes.' },
    }),
    doc: 'Options of `protocol: json-rpc`.',
  },
  mcp: {
    type: object('MCP options', 'Only with `protocol: mcp`.', {
      max_body_bytes: { type: body, default: DEFAULT_BODY, doc: 'Longest request body, in bytes.' },
      strict_tool_names: {
        type: flag,
        default: 'true',
        doc: 'Refuses tool names outside letters, digits, `_`, `-`, `.` and `/`.',
      },
      allow_all_known_mcp_methods: {
        type: flag,
        default: 'false',
        doc: 'Allows every method that MCP defines; `rules` may be left out.',
      },
    }),
    doc: 'Options of `protocol: mcp`.',
  },
});

const NETWORK_POLICY_SCHEMA = object('Network policy', 'Which programs may reach which endpoints.', {
  name: { type: text(), default: 'the key', doc: 'What logs call the policy.' },
  endpoints: { type: list(ENDPOINT_SCHEMA, LIMITS.endpoints), doc: 'Where to.' },
  binaries: {
    type: list(
      object('Binary', 'One program, or several by a pattern.', {
        path: {
          type: path,
          required: true,
          doc: 'Absolute path or path pattern of an executable. `/**` is every program.',
        },
        harness: { type: data, doc: '', deprecated: 'it no longer has any meaning' },
      }),
      LIMITS.binaries,
    ),
    doc: 'Who: the program itself or any program that started it. Without binaries nothing may use the endpoints.',
  },
});

const MIDDLEWARE_SCHEMA = object('Middleware', 'A stage that sees the requests to the hosts it selects.', {
  name: { type: text(), default: 'the key', doc: 'What logs call it.' },
  middleware: {
    type: text(),
    required: true,
    doc: '`openshell/regex`, or a name that the operator registered.',
  },
  order: {
    type: integer(-MAX_I32 - 1, MAX_I32),
    default: '0',
    doc: 'Place in the chain, unique in the policy.',
  },
  config: { type: map('setting', data, 1024), doc: 'Settings of the implementation, which checks them.' },
  on_error: {
    type: text({ oneOf: ['fail_closed', 'fail_open'] }),
    default: 'fail_closed',
    doc: 'What happens to a request when the stage fails.',
  },
  endpoints: {
    type: object('Selector', 'Hosts of a middleware; `exclude` wins.', {
      include: {
        type: list(text(), LIMITS.middlewarePatterns),
        required: true,
        doc: 'Host patterns; at least one.',
      },
      exclude: { type: list(text(), LIMITS.middlewarePatterns), doc: 'Host patterns.' },
    }),
    required: true,
    doc: 'Which hosts.',
  },
});

/** The whole schema. The order of fields is the order of the documentation. */
export const POLICY_SCHEMA = object('Policy', 'The top of the file.', {
  version: { type: integer(1, 1), required: true, doc: 'Always `1`.' },
  filesystem_policy: {
    type: object('File system', 'Static: fixed when the sandbox starts.', {
      include_workdir: { type: flag, default: 'false', doc: 'Lets the work directory be written.' },
      read_only: { type: list(path, LIMITS.paths), doc: 'Absolute paths that may be read and executed.' },
      read_write: {
        type: list(path, LIMITS.paths),
        doc: 'Absolute paths that may be written, too. Never `/`.',
      },
    }),
    default: 'system readable, work directory and /tmp writable',
    doc: 'Which files may be touched.',
  },
  landlock: {
    type: object('Landlock', 'Static.', {
      compatibility: {
        type: text({ oneOf: ['best_effort', 'hard_requirement'] }),
        default: 'hard_requirement',
        doc: '`hard_requirement`: a kernel that cannot enforce the paths is an error. `best_effort`: it is a warning.',
      },
    }),
    doc: 'What to do where the kernel cannot protect files.',
  },
  process: {
    type: object('Process', 'Static. What is left out or empty is the platform’s choice.', {
      run_as_user: { type: text(), doc: '`sandbox` or a user id from 1 to 4294967294, in quotes.' },
      run_as_group: { type: text(), doc: '`sandbox` or a group id from 1 to 4294967294, in quotes.' },
    }),
    doc: 'Who the command runs as.',
  },
  network_policies: {
    type: map('key', NETWORK_POLICY_SCHEMA, LIMITS.policies),
    default: 'no network',
    doc: 'What may be reached, by a key of your choice. Dynamic: may change while a sandbox runs.',
  },
  network_middlewares: {
    type: map('key', MIDDLEWARE_SCHEMA, LIMITS.middlewares),
    doc: 'Stages that requests pass through. Dynamic.',
  },
});

export type RawPolicy = Read<typeof POLICY_SCHEMA>;
export type RawNetworkPolicy = Read<typeof NETWORK_POLICY_SCHEMA>;
export type RawEndpoint = Read<typeof ENDPOINT_SCHEMA>;
export type RawMatcher = Read<typeof MATCHER_SCHEMA>;
export type RawMiddleware = Read<typeof MIDDLEWARE_SCHEMA>;
export type RawFilesystem = NonNullable<RawPolicy['filesystem_policy']>;
