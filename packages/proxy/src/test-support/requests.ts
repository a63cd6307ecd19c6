import {
  type GraphqlOperation,
  type Policy,
  parsePolicy,
  type QueryParameter,
  type RequestContent,
  type RequestFacts,
  type RpcMessage,
  type SqlStatement,
} from '@openshell/policy';
import fc from 'fast-check';

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'WEBSOCKET_TEXT', 'WEBSOCKET_BINARY'];
const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'DELETE', '*', '*'];
const PATHS = ['/a', '/a/b', '/a/b', '/a/c', '/b', '/a/b/c', '/'];
const PATH_PATTERNS = ['/a', '/a/*', '/a/**', '/{a,b}', '/a/[bc]', '/**/c', '**', '**'];
const TOOLS = ['search', 'list_x', 'list_y', 'bad name', 'a/b', ''];
const RPC_METHODS = ['initialize', 'tools/call', 'tools/list', 'ping', 'roots/list', 'custom/x', 'a.b', ''];
const FIELDS = ['me', 'viewer', 'openIssue', 'closeIssue'];
const VALUES = ['v1', 'v2', 'x', ''];

const some = <T>(values: readonly T[]) => fc.constantFrom(...values);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const several = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 2 });

const valuePatterns = fc.oneof(
  some(['v*', 'v1', '*', 'x']),
  fc.record({ any: several(some(['v?', 'x', 'z'])) }),
);
const operationRule = fc.record({
  operation_type: some(['query', 'mutation', 'subscription', '*', '*']),
  operation_name: maybe(some(['A', 'A*', '*', ''])),
  fields: maybe(several(some([...FIELDS, '*Issue', '{me,viewer}']))),
});
const headRule = fc.record({
  method: some(HTTP_METHODS),
  path: some(PATH_PATTERNS),
  query: maybe(fc.dictionary(some(['q', '__proto__', 'r']), valuePatterns, { minKeys: 1, maxKeys: 2 })),
});
const from = maybe(fc.constant('server'));
const params = maybe(fc.dictionary(some(['arguments.path', 'q']), valuePatterns, { minKeys: 1, maxKeys: 2 }));
/** By protocol, what an allow or deny rule may be. */
const RULES = {
  rest: headRule,
  websocket: fc.oneof(
    fc.record({
      method: some(['GET', 'WEBSOCKET_TEXT', 'WEBSOCKET_BINARY', '*']),
      path: some(PATH_PATTERNS),
      from,
    }),
    operationRule,
  ),
  graphql: operationRule,
  'json-rpc': fc.record({ method: some(['a.b', 'initialize', 'tools/call', '*', '*']), params, from }),
  mcp: fc.oneof(
    fc.record({ method: some([...RPC_METHODS.slice(0, -2), '*', 'tools/*', 'tools/{call,x}']), from }),
    fc.record({
      method: fc.constant('tools/call'),
      tool: maybe(fc.oneof(some(['search', 'list_*']), fc.record({ any: several(some(['search', 'a/?'])) }))),
      params,
      from,
    }),
  ),
  sql: fc.record({
    command: some(['SELECT', 'INSERT', 'DROP *', '{SELECT,INSERT}', '*']),
    tables: maybe(several(some(['users', 'public.users', 'public.*', '*', '*.secrets']))),
  }),
} as const;
type InspectedProtocol = keyof typeof RULES;

const PRESETS = ['read-only', 'read-write', 'full'];

const endpointOf = (protocol: InspectedProtocol): fc.Arbitrary<object> => {
  const presetless = protocol === 'json-rpc' || protocol === 'mcp';
  const allow = fc.array(RULES[protocol] as fc.Arbitrary<object>, { minLength: 1, maxLength: 3 });
  const written = allow.map((rules) => ({ rules: rules.map((rule) => ({ allow: rule })) }));
  const options = fc.record({ strict_tool_names: fc.boolean(), allow_all_known_mcp_methods: fc.boolean() });
  return fc
    .record({
      host: some(['a.example.com', 'a.example.com', '*.example.com']),
      port: fc.constant(protocol === 'sql' ? 5432 : 443),
      protocol: fc.constant(protocol),
      enforcement: some(['enforce', 'enforce', 'audit']),
      path:
        protocol === 'sql'
          ? fc.constant(undefined)
          : some([undefined, undefined, '/a/**', '/a/b', '/{a,b}', '**']),
      mcp: protocol === 'mcp' ? maybe(options) : fc.constant(undefined),
      base: presetless
        ? written
        : fc.oneof(
            written,
            some(PRESETS).map((access) => ({ access })),
          ),
      deny_rules: maybe(fc.array(RULES[protocol] as fc.Arbitrary<object>, { minLength: 1, maxLength: 2 })),
    })
    .map(({ base, ...rest }) => ({ ...rest, ...base }));
};

const plainEndpoint = fc.constant<object>({ host: 'a.example.com', port: 443 });
const networkOf = (protocols: readonly InspectedProtocol[]) =>
  fc.record({
    endpoints: fc.array(
      fc.oneof(...protocols.map((protocol) => ({ weight: 4, arbitrary: endpointOf(protocol) })), {
        weight: 1,
        arbitrary: plainEndpoint,
      }),
      { minLength: 1, maxLength: 3 },
    ),
    binaries: some([['/bin/a'], ['/bin/a', '/bin/b'], ['/bin/*'], ['/bin/*']]).map((paths) =>
      paths.map((path) => ({ path })),
    ),
  });
const middleware = fc.record({
  middleware: fc.constant('openshell/regex'),
  order: fc.integer({ min: 0, max: 1000 }),
  endpoints: fc.record({
    include: several(some(['*.example.com', 'a.example.com', '**'])),
    exclude: maybe(several(some(['a.*.com', 'b.example.com']))),
  }),
});

const policiesWith = (protocols: readonly InspectedProtocol[]): fc.Arbitrary<Policy> =>
  fc
    .record({
      networks: fc.dictionary(some(['p', 'q', 'r s']), networkOf(protocols), { minKeys: 1, maxKeys: 2 }),
      middlewares: fc.dictionary(some(['m', 'n']), middleware, { maxKeys: 2 }),
    })
    // JSON is YAML. An ambiguous policy never reaches an engine.
    .map(({ networks, middlewares }) =>
      parsePolicy(
        JSON.stringify({ version: 1, network_policies: networks, network_middlewares: middlewares }),
      ),
    )
    .filter((result) => result.ok)
    .map((result): Policy => result.policy);

const named = (names: readonly string[]): fc.Arbitrary<readonly QueryParameter[]> =>
  fc.array(fc.tuple(some(names), some(VALUES)), { maxLength: 3 });

const operation: fc.Arbitrary<GraphqlOperation> = fc
  .record({
    type: some(['query', 'mutation', 'subscription'] as const),
    name: maybe(some(['A', 'AB', 'B'])),
    fields: fc.uniqueArray(some(FIELDS), { maxLength: 2 }),
  })
  .map(({ name, ...rest }) => ({ ...rest, ...(name === undefined ? {} : { name }) }));

const message: fc.Arbitrary<RpcMessage> = fc
  .record({
    kind: fc.oneof(
      { weight: 5, arbitrary: some(['request', 'notification'] as const) },
      fc.constant('response' as const),
    ),
    method: some(RPC_METHODS),
    tool: some(TOOLS),
    params: named(['arguments.path', 'q']),
  })
  .map(({ kind, method, tool, params: given }) =>
    kind === 'response'
      ? { kind, method: '', params: [] }
      : { kind, method, params: given, ...(method === 'tools/call' ? { tool } : {}) },
  );

const statement: fc.Arbitrary<SqlStatement> = fc.record({
  command: some(['SELECT', 'INSERT', 'DROP TABLE', 'SET']),
  effect: some(['read', 'write', 'other'] as const),
  tables: fc.uniqueArray(some(['users', 'public.users', 'private.users', 'secrets', 'a.b.secrets']), {
    maxLength: 2,
  }),
});

const http = fc.constant<RequestContent>({ kind: 'http' });
const graphql = fc.record({
  kind: fc.constant('graphql' as const),
  operations: fc.array(operation, { maxLength: 2 }),
});
const socketMessage = fc
  .oneof(operation, operation, fc.constant('control' as const), fc.constant(undefined))
  .map(
    (inside): RequestContent => ({ kind: 'message', ...(inside === undefined ? {} : { graphql: inside }) }),
  );
const rpc = fc.record({
  kind: fc.constant('rpc' as const),
  messages: fc.array(message, { maxLength: 2 }),
  receiveStream: fc.boolean(),
});
const sql = fc.record({
  kind: fc.constant('sql' as const),
  statements: fc.array(statement, { maxLength: 2 }),
});
/** What a proxy reads out of requests under each protocol. */
const CONTENT: Readonly<Record<InspectedProtocol, fc.Arbitrary<RequestContent>>> = {
  rest: http,
  websocket: fc.oneof(http, socketMessage),
  graphql,
  'json-rpc': rpc,
  mcp: rpc,
  sql,
};
const malformed = fc.constant<RequestContent>({ kind: 'malformed', reason: 'the body is cut off' });

/** The methods that content usually comes with; any other may be seen with it, too. */
const USUAL: Readonly<Record<RequestContent['kind'], readonly string[]>> = {
  http: ['GET', 'HEAD', 'POST', 'DELETE'],
  graphql: ['POST', 'GET'],
  rpc: ['POST', 'POST', 'GET', 'DELETE'],
  message: ['WEBSOCKET_TEXT', 'WEBSOCKET_BINARY'],
  sql: ['QUERY'],
  malformed: METHODS,
};

/** Mostly what the protocols know, and sometimes what should not come up there at all. */
const requestsWith = (protocols: readonly InspectedProtocol[]): fc.Arbitrary<RequestFacts> =>
  fc
    .oneof(
      ...protocols.map((protocol) => ({ weight: 10, arbitrary: CONTENT[protocol] })),
      ...[...Object.values(CONTENT), malformed].map((arbitrary) => ({ weight: 1, arbitrary })),
    )
    .chain((content) =>
      fc.record({
        method: fc.oneof({ weight: 9, arbitrary: some(USUAL[content.kind]) }, some(METHODS)),
        path: some(PATHS),
        query: named(['q', '__proto__', 'z']),
        content: fc.constant(content),
        from: some(['client', 'client', 'client', 'server'] as const),
      }),
    );

/** A valid policy whose endpoints look into requests, and requests. Much of it overlaps: there are few protocols, paths, tools, tables. */
export const inspectedWorlds: fc.Arbitrary<{
  readonly policy: Policy;
  readonly requests: readonly RequestFacts[];
}> = fc
  .uniqueArray(some(Object.keys(RULES) as InspectedProtocol[]), { minLength: 1, maxLength: 2 })
  .chain((protocols) =>
    fc.record({
      policy: policiesWith(protocols),
      requests: fc.array(requestsWith(protocols), { minLength: 1, maxLength: 100, size: 'max' }),
    }),
  );
