/** The normalised policy: what a file means, with every default filled in. Frozen; two files that mean the same are equal. */
export interface Policy {
  readonly version: 1;
  /** Static: fixed when a sandbox starts. */
  readonly filesystem: FilesystemPolicy;
  readonly landlock: LandlockPolicy;
  readonly process: ProcessPolicy;
  /** Dynamic: may change while a sandbox runs. Sorted by key. */
  readonly networkPolicies: readonly NetworkPolicy[];
  /** Dynamic. Sorted by order, then key. */
  readonly middlewares: readonly Middleware[];
}

export interface FilesystemPolicy {
  /** Adds the sandbox's work directory to what may be written. */
  readonly includeWorkdir: boolean;
  /** Absolute paths that may be read and executed. */
  readonly readOnly: readonly string[];
  /** Absolute paths that may also be written and created in. */
  readonly readWrite: readonly string[];
}

export interface LandlockPolicy {
  /** `hard_requirement`: a kernel that cannot enforce the paths is an error. `best_effort`: it is a warning. */
  readonly compatibility: 'best_effort' | 'hard_requirement';
}

/** Who the command runs as: a name or a decimal id. What is absent is the platform's choice. */
export interface ProcessPolicy {
  readonly runAsUser?: string;
  readonly runAsGroup?: string;
}

export interface NetworkPolicy {
  /** The key under `network_policies`: the policy's identity. */
  readonly key: string;
  /** What logs call it; the key where the file gives no name. */
  readonly name: string;
  /** In the file's order: their positions are part of events and errors. */
  readonly endpoints: readonly Endpoint[];
  /** Executables, exact or with wildcards, sorted. None means that nothing may use the endpoints. */
  readonly binaries: readonly string[];
}

export type Protocol = '' | 'tcp' | 'rest' | 'websocket' | 'graphql' | 'json-rpc' | 'mcp' | 'sql';
export type AccessPreset = 'read-only' | 'read-write' | 'full';
export type CredentialSigning = 'sigv4' | 'sigv4:body' | 'sigv4:no_body';

export interface Endpoint {
  /** Canonical name, address or wildcard; empty for any host (then `allowedIps` is there). */
  readonly host: string;
  /** Sorted, without duplicates, never empty. */
  readonly ports: readonly number[];
  /** Selects among endpoints of one host and port; empty for every path. */
  readonly path: string;
  /** Empty: not inspected. */
  readonly protocol: Protocol;
  readonly tls: 'auto' | 'skip';
  readonly enforcement: 'enforce' | 'audit';
  readonly access?: AccessPreset;
  readonly rules?: readonly RequestRule[];
  readonly denyRules?: readonly RequestRule[];
  /** Canonical CIDRs, sorted. */
  readonly allowedIps?: readonly string[];
  readonly allowEncodedSlash: boolean;
  readonly websocketCredentialRewrite: boolean;
  readonly requestBodyCredentialRewrite: boolean;
  readonly allowUninspectedCredentials: boolean;
  readonly graphql?: GraphqlOptions;
  readonly signing?: SigningOptions;
  /** Provider whose credentials this endpoint may use. */
  readonly credentialProvider?: string;
  readonly jsonRpc?: { readonly maxBodyBytes: number };
  readonly mcp?: McpOptions;
}

export interface GraphqlOptions {
  readonly persistedQueries: 'deny' | 'allow_registered';
  readonly registered: Readonly<Record<string, PersistedQuery>>;
  readonly maxBodyBytes: number;
}

export interface PersistedQuery {
  readonly operationType?: OperationType;
  readonly operationName?: string;
  readonly fields: readonly string[];
}

export interface SigningOptions {
  readonly mode: CredentialSigning;
  readonly service: string;
  /** Absent: taken from the host name. */
  readonly region?: string;
}

export interface McpOptions {
  readonly maxBodyBytes: number;
  readonly strictToolNames: boolean;
  readonly allowAllKnownMethods: boolean;
}

export type OperationType = 'query' | 'mutation' | 'subscription';

/** What a request must be like for a rule to apply. What is absent does not matter. */
export interface RequestRule {
  /** Upper case for HTTP; as written for JSON-RPC and MCP. */
  readonly method?: string;
  readonly path?: string;
  /** Pattern for the leading keywords of an SQL statement, in upper case. */
  readonly command?: string;
  /** Patterns by name of the query parameter; any of them will do. */
  readonly query?: Readonly<Record<string, readonly string[]>>;
  readonly operationType?: OperationType | '*';
  readonly operationName?: string;
  readonly fields?: readonly string[];
  /** Patterns for the name of an MCP tool; any of them will do. */
  readonly tools?: readonly string[];
  /** Patterns by name of the parameter (nested names joined with dots); any of them will do. */
  readonly params?: Readonly<Record<string, readonly string[]>>;
  /** Patterns for the tables that a statement names. */
  readonly tables?: readonly string[];
  /** Set: the rule is about what the server sends. Absent: about what the workload sends. */
  readonly from?: 'server';
}

export interface Middleware {
  readonly key: string;
  readonly name: string;
  readonly middleware: string;
  readonly order: number;
  /** As written; the implementation knows its meaning. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly onError: 'fail_closed' | 'fail_open';
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}
