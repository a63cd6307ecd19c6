/** Every bound on a policy, in one place. The documentation prints this table. */
export const POLICY_LIMITS = {
  /** Bytes of a policy file. */
  fileBytes: 1_048_576,
  /** Levels of nesting, values of `config` included. */
  depth: 32,
  /** Problems (and notices) that one reading reports. */
  findings: 100,
  /** Entries of read_only and read_write together. */
  paths: 256,
  /** Bytes of a path. */
  pathBytes: 4096,
  /** Entries of network_policies. */
  policies: 4096,
  /** Endpoints of all policies together. */
  endpoints: 20_000,
  /** Endpoints with a wildcard host, and without a host, of all policies together. */
  wildcardEndpoints: 512,
  /** Endpoints with a protocol that is inspected which share a host and a port. */
  inspectedEndpointsPerHost: 64,
  /** Ports of one endpoint. */
  ports: 64,
  /** Binaries of one policy. */
  binaries: 256,
  /** Rules, and deny rules, of one endpoint. */
  rules: 256,
  /** Values of a list inside a rule. */
  ruleValues: 64,
  /** Entries of allowed_ips of one endpoint. */
  allowedIps: 256,
  /** Entries of graphql_persisted_queries of one endpoint. */
  persistedQueries: 1024,
  /** Entries of network_middlewares; the longest possible chain of stages. */
  middlewares: 10,
  /** Patterns of one middleware's include and exclude together. */
  middlewarePatterns: 32,
  /** Bytes of any other text, names and keys included. */
  textBytes: 1024,
} as const;
