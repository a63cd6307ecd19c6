/** One bound: how much, of what, and what happens to whoever goes beyond it. */
interface Limit {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly onExcess: string;
}

/**
 * Every bound of the proxy. The documentation is made from this table, and a test compares them.
 * All counts are for one tenant: what one sandbox uses up, no other misses.
 */
export const LIMITS = {
  connections: {
    value: 8192,
    unit: 'connections',
    what: 'Connections at one time, in any state',
    onExcess: 'answered 503 (captured: reset) and closed',
  },
  handshakes: {
    value: 1024,
    unit: 'connections',
    what: 'Connections that have not reached their destination yet',
    onExcess: 'answered 503 (captured: reset) and closed',
  },
  lingering: {
    value: 256,
    unit: 'connections',
    what: 'Refused connections that are still read from, so that the answer is not lost',
    onExcess: 'closed without waiting for the client',
  },
  headBytes: {
    value: 16_384,
    unit: 'bytes',
    what: 'Request line and header fields together',
    onExcess: 'answered 431',
  },
  headFields: { value: 128, unit: 'fields', what: 'Header fields of one request', onExcess: 'answered 431' },
  headTime: {
    value: 10_000,
    unit: 'ms',
    what: 'From the first moment of a connection to the end of its request head',
    onExcess: 'answered 408',
  },
  pathBytes: {
    value: 4096,
    unit: 'bytes',
    what: 'Path of a request, without its query',
    onExcess: 'answered 400',
  },
  keepAliveTime: {
    value: 120_000,
    unit: 'ms',
    what: "A client's HTTP connection between two requests",
    onExcess: 'closed',
  },
  chunkLineBytes: {
    value: 1024,
    unit: 'bytes',
    what: 'Line with the size of a chunk, extensions included',
    onExcess: 'answered 400',
  },
  trailerBytes: {
    value: 8192,
    unit: 'bytes',
    what: 'Trailer section of a chunked request',
    onExcess: 'answered 400',
  },
  interimResponses: {
    value: 32,
    unit: 'responses',
    what: 'Informational (1xx) responses to one request',
    onExcess: 'answered 502',
  },
  evidenceTime: {
    value: 5000,
    unit: 'ms',
    what: 'Finding out which program asked',
    onExcess: 'decided as unknown, which policy denies',
  },
  peekBytes: {
    value: 16_384,
    unit: 'bytes',
    what: 'First bytes of a client that are held back to find the name in them',
    onExcess: 'refused',
  },
  peekTime: {
    value: 3000,
    unit: 'ms',
    what: 'From the first of those bytes (or from the capture of a nameless destination) to the name',
    onExcess: 'refused',
  },
  refusalPeekTime: {
    value: 1000,
    unit: 'ms',
    what: 'Wait for the first bytes of a refused capture, to refuse in its protocol',
    onExcess: 'reset',
  },
  resolveTime: { value: 10_000, unit: 'ms', what: 'Resolving one name', onExcess: 'answered 502' },
  addresses: {
    value: 16,
    unit: 'addresses',
    what: 'Addresses of one name that are dialled; all of them are checked',
    onExcess: 'not dialled',
  },
  dialStagger: {
    value: 250,
    unit: 'ms',
    what: 'Head start of one address before the next is tried as well (RFC 8305)',
    onExcess: 'the next address is tried too',
  },
  dialTime: {
    value: 10_000,
    unit: 'ms',
    what: 'Connecting to one address',
    onExcess: 'the address is given up',
  },
  dialTotalTime: {
    value: 30_000,
    unit: 'ms',
    what: 'Connecting to a destination over all its addresses',
    onExcess: 'answered 504',
  },
  tlsTime: {
    value: 10_000,
    unit: 'ms',
    what: 'TLS handshake, with a client or with an upstream',
    onExcess: 'closed; for an upstream answered 504',
  },
  leafCertificates: {
    value: 1024,
    unit: 'hosts',
    what: 'Inspected hosts whose certificate is kept',
    onExcess: 'the least recently used is made again when it is next needed',
  },
  tlsSessions: {
    value: 1024,
    unit: 'sessions',
    what: 'TLS sessions of upstreams that are kept for a shorter handshake',
    onExcess: 'the least recently used is forgotten',
  },
  upstreamConnections: {
    value: 4096,
    unit: 'connections',
    what: 'Connections of inspected requests to upstreams, idle ones included',
    onExcess: 'an idle one is closed; where there is none the request waits, within `upstreamWaitTime`',
  },
  upstreamConnectionsPerHost: {
    value: 512,
    unit: 'connections',
    what: 'The same to one host and port, with one set of credentials',
    onExcess: 'the request waits, within `upstreamWaitTime`',
  },
  upstreamIdle: {
    value: 256,
    unit: 'connections',
    what: 'Connections to upstreams that wait for a further request',
    onExcess: 'closed',
  },
  upstreamIdlePerHost: {
    value: 64,
    unit: 'connections',
    what: 'The same to one host and port',
    onExcess: 'closed',
  },
  upstreamIdleTime: {
    value: 30_000,
    unit: 'ms',
    what: 'Waiting of a connection for a further request',
    onExcess: 'closed',
  },
  upstreamWaiting: {
    value: 4096,
    unit: 'requests',
    what: 'Requests that wait for a connection to their upstream',
    onExcess: 'answered 504',
  },
  upstreamWaitTime: {
    value: 60_000,
    unit: 'ms',
    what: 'Such waiting, finding and opening the connection included',
    onExcess: 'answered 504',
  },
  proxyHeadBytes: {
    value: 8192,
    unit: 'bytes',
    what: "Answer of the operator's upstream proxy to CONNECT",
    onExcess: 'answered 502',
  },
  proxyTime: {
    value: 30_000,
    unit: 'ms',
    what: "Reaching a destination through the operator's upstream proxy, over all its addresses",
    onExcess: 'answered 504',
  },
  idleTime: {
    value: 86_400_000,
    unit: 'ms',
    what: 'Tunnel in which nothing moves',
    onExcess: 'closed on both sides',
  },
  halfClosedIdleTime: {
    value: 600_000,
    unit: 'ms',
    what: 'Tunnel in which one side has ended and nothing moves',
    onExcess: 'closed on both sides',
  },
  lingerTime: {
    value: 2000,
    unit: 'ms',
    what: 'Reading on after an answer, so that the client can read it',
    onExcess: 'closed',
  },
  lingerBytes: {
    value: 1_048_576,
    unit: 'bytes',
    what: 'Bytes read and dropped after an answer',
    onExcess: 'closed',
  },
  dnsNames: {
    value: 4096,
    unit: 'names',
    what: 'Names with a synthetic address',
    onExcess:
      'the least recently used is forgotten; its address is not given to another name for a long time',
  },
  dnsMessageBytes: { value: 4096, unit: 'bytes', what: 'One DNS query', onExcess: 'answered FORMERR' },
  dnsQueryRate: { value: 5000, unit: 'queries/s', what: 'DNS queries', onExcess: 'not answered' },
  dnsTcpConnections: { value: 64, unit: 'connections', what: 'DNS connections over TCP', onExcess: 'reset' },
  dnsTcpIdleTime: {
    value: 10_000,
    unit: 'ms',
    what: 'DNS connection on which no query is completed',
    onExcess: 'closed',
  },
  refusalKinds: {
    value: 1024,
    unit: 'kinds',
    what: 'Different refused captures and names of which events are told apart',
    onExcess: 'counted together',
  },
  refusalWindow: {
    value: 10_000,
    unit: 'ms',
    what: 'Time in which the same refused capture or name makes one event',
    onExcess: 'counted, and reported as one event with the count',
  },
  denialWindow: {
    value: 10_000,
    unit: 'ms',
    what: 'Counting of denials before each kind of them makes one event with their number',
    onExcess: 'the event is made, and counting begins again',
  },
  denialKinds: {
    value: 1024,
    unit: 'kinds',
    what: 'Kinds of denials (stage, program, host, port, code, rule) that are told apart',
    onExcess: 'counted together',
  },
  denialEvents: {
    value: 100,
    unit: 'events',
    what: 'Denials of one kind that have an event of their own, within `denialWindow`',
    onExcess: 'only counted',
  },
  denialSamples: {
    value: 20,
    unit: 'samples',
    what: 'Different things (method, path, operation) kept of the denials of one kind',
    onExcess: 'only counted',
  },
  denialSampleLength: {
    value: 2048,
    unit: 'UTF-16 units',
    what: 'One of them, as JSON',
    onExcess: 'only counted',
  },
  ruleSteps: {
    value: 500_000,
    unit: 'steps',
    what: 'Statements, iterations and work of built-ins of Rego rules for one answer',
    onExcess: 'refused, with the reason',
  },
  ruleElements: {
    value: 100_000,
    unit: 'elements',
    what: 'Elements of all collections that Rego rules make for one answer',
    onExcess: 'refused, with the reason',
  },
  ruleText: {
    value: 1_048_576,
    unit: 'UTF-16 units',
    what: 'One text that Rego rules make',
    onExcess: 'refused, with the reason',
  },
  answeredEndpoints: {
    value: 4096,
    unit: 'endpoints',
    what: 'Endpoints of answers of rules that are kept as they were read',
    onExcess: 'all are forgotten, and read again',
  },
  wasmMemory: {
    value: 2048,
    unit: 'pages of 64 KiB',
    what: 'Memory of a compiled policy, its data included',
    onExcess: 'refused, with the reason',
  },
  opaTime: {
    value: 3000,
    unit: 'ms',
    what: 'From the question to an OPA server to the last byte of its answer',
    onExcess: 'refused, with the reason',
  },
  opaAnswerBytes: {
    value: 1_048_576,
    unit: 'bytes',
    what: 'One answer of an OPA server',
    onExcess: 'refused, with the reason',
  },
  opaConnections: {
    value: 16,
    unit: 'connections',
    what: 'Connections to an OPA server at one time; one is kept',
    onExcess: 'the question waits, within its time',
  },
  credentialBytes: {
    value: 65_536,
    unit: 'bytes',
    what: 'Value of one credential',
    onExcess: 'the credential is refused',
  },
  credentialCount: { value: 256, unit: 'credentials', what: 'Credentials', onExcess: 'refused at load' },
  credentialBodyBytes: {
    value: 262_144,
    unit: 'bytes',
    what: 'Request body into which credentials are put',
    onExcess: 'the request is refused',
  },
  signedBodyBytes: {
    value: 10_485_760,
    unit: 'bytes',
    what: 'Request body that is hashed for an AWS signature',
    onExcess: 'the request is refused',
  },
  credentialFileAge: {
    value: 1000,
    unit: 'ms',
    what: 'Use of a value from a file before the file is looked at again',
    onExcess: 'looked at, and read again where it has changed',
  },
  credentialCommandTime: {
    value: 30_000,
    unit: 'ms',
    what: 'Command that prints a credential',
    onExcess: 'ended; the request is refused',
  },
  tokenTime: {
    value: 30_000,
    unit: 'ms',
    what: 'From the question to a token endpoint to the last byte of its answer',
    onExcess: 'the request is refused with 502',
  },
  tokenAnswerBytes: {
    value: 65_536,
    unit: 'bytes',
    what: 'One answer of a token endpoint',
    onExcess: 'the request is refused with 502',
  },
  tokenLifetime: {
    value: 3_600_000,
    unit: 'ms',
    what: 'Use of one access token, whatever its issuer says',
    onExcess: 'a new one is asked for',
  },
  credentialRetryTime: {
    value: 5000,
    unit: 'ms',
    what: 'From a failed command or token request to the next',
    onExcess: 'requests in between are refused for the same reason',
  },
  decodedResponseBytes: {
    value: 1_073_741_824,
    unit: 'bytes',
    what: 'Compressed response of a host that has credentials, decoded to be masked',
    onExcess: 'the response is cut off',
  },
  jsonDepth: {
    value: 128,
    unit: 'levels',
    what: 'Nesting of JSON that is read to decide',
    onExcess: 'refused as malformed',
  },
  jsonValues: {
    value: 262_144,
    unit: 'values',
    what: 'Values of one JSON text that is read to decide',
    onExcess: 'refused as malformed',
  },
  jsonNumberLength: {
    value: 512,
    unit: 'characters',
    what: 'One number in JSON that is read to decide',
    onExcess: 'refused as malformed',
  },
  graphqlTokens: {
    value: 20_000,
    unit: 'tokens',
    what: 'One GraphQL document',
    onExcess: 'refused as malformed',
  },
  graphqlDepth: {
    value: 128,
    unit: 'levels',
    what: 'Nesting of braces, brackets and parentheses of a GraphQL document',
    onExcess: 'refused as malformed',
  },
  graphqlOperations: {
    value: 64,
    unit: 'operations',
    what: 'Operations of one GraphQL batch',
    onExcess: 'refused as malformed',
  },
  rpcMessages: {
    value: 64,
    unit: 'messages',
    what: 'Messages of one JSON-RPC batch',
    onExcess: 'refused as malformed',
  },
  rpcParams: {
    value: 16_384,
    unit: 'values',
    what: 'Values in the parameters of one JSON-RPC message',
    onExcess: 'refused as malformed',
  },
  rpcNameLength: {
    value: 1024,
    unit: 'characters',
    what: 'JSON-RPC method, MCP tool, or path of names to a parameter',
    onExcess: 'refused as malformed',
  },
  rpcServerMessageBytes: {
    value: 4_194_304,
    unit: 'bytes',
    what: 'JSON answer or event of an event stream that is read because rules are about messages of the server',
    onExcess: 'the response is ended',
  },
  http2Streams: {
    value: 100,
    unit: 'requests',
    what: 'Requests at one time on one HTTP/2 connection, of a client or to an origin',
    onExcess: 'refused (REFUSED_STREAM); to an origin, another connection is made',
  },
  http2ClientWindow: {
    value: 262_144,
    unit: 'bytes',
    what: 'Body of one HTTP/2 request that a client may send ahead of its being passed on',
    onExcess: 'the client has to wait (flow control)',
  },
  http2OriginWindow: {
    value: 1_048_576,
    unit: 'bytes',
    what: 'Body of one HTTP/2 response that an origin may send ahead of its being passed on',
    onExcess: 'the origin has to wait (flow control)',
  },
  http2SessionMemory: {
    value: 32,
    unit: 'MB',
    what: 'Heads, and bodies that are being sent, of one HTTP/2 connection',
    onExcess: 'new requests on it are refused (ENHANCE_YOUR_CALM)',
  },
  http2ResetBurst: {
    value: 200,
    unit: 'resets',
    what: 'Requests of one HTTP/2 connection that its client ends early, at once',
    onExcess: 'the connection is closed',
  },
  http2ResetRate: {
    value: 33,
    unit: 'resets/s',
    what: 'Requests of one HTTP/2 connection that its client ends early, in the long run',
    onExcess: 'the connection is closed',
  },
  http2Faults: {
    value: 100,
    unit: 'requests or frames',
    what: 'Malformed requests, and malformed frames, of one HTTP/2 connection',
    onExcess: 'the connection is closed (ENHANCE_YOUR_CALM)',
  },
  http2IdleTime: {
    value: 120_000,
    unit: 'ms',
    what: 'HTTP/2 connection of a client without a request',
    onExcess: 'closed (GOAWAY)',
  },
  http2PingInterval: {
    value: 330_000,
    unit: 'ms',
    what: 'Between looks whether an HTTP/2 origin that is to answer is still there; gRPC servers refuse more than one in 5 minutes',
    onExcess: 'a PING is sent',
  },
  http2PingTime: {
    value: 20_000,
    unit: 'ms',
    what: 'Answer of an HTTP/2 origin to a PING',
    onExcess: 'the connection is closed and its requests fail',
  },
  webSocketTextBytes: {
    value: 4_194_304,
    unit: 'bytes',
    what: 'One WebSocket text message that is read, as sent and decompressed',
    onExcess: 'closed with 1009',
  },
  webSocketBinaryBytes: {
    value: 16_777_216,
    unit: 'bytes',
    what: 'One frame of a decided WebSocket binary message, and one such message that is searched for secrets',
    onExcess: 'closed with 1009',
  },
  webSocketFragments: {
    value: 4096,
    unit: 'frames',
    what: 'Fragments of one WebSocket message that is read',
    onExcess: 'closed with 1002',
  },
  webSocketInflateRatio: {
    value: 256,
    unit: 'times',
    what: 'Size of a decompressed WebSocket message against its compressed one, beyond 1 MiB',
    onExcess: 'closed with 1009',
  },
  webSocketAssemblyBytes: {
    value: 67_108_864,
    unit: 'bytes',
    what: 'Payload of all WebSocket messages that are being read, decided, or not taken yet by the other side',
    onExcess: 'closed with 1013',
  },
  webSocketAssemblyIdleTime: {
    value: 30_000,
    unit: 'ms',
    what: 'Wait for the next bytes of a WebSocket message that is read',
    onExcess: 'closed with 1002',
  },
  webSocketAssemblyTime: {
    value: 120_000,
    unit: 'ms',
    what: 'From the first frame of a WebSocket message that is read to its end',
    onExcess: 'closed with 1002',
  },
  webSocketForwardTime: {
    value: 120_000,
    unit: 'ms',
    what: 'Wait for the other side to take a WebSocket message that was read',
    onExcess: 'closed with 1013',
  },
  webSocketCloseTime: {
    value: 10_000,
    unit: 'ms',
    what: 'From the first close frame, or the end of one side, to the end of both',
    onExcess: 'closed without waiting',
  },
  middlewareRunning: {
    value: 32,
    unit: 'requests',
    what: 'Requests that middlewares are asked about at one time',
    onExcess: 'the request waits',
  },
  middlewareWaiting: {
    value: 64,
    unit: 'requests',
    what: 'Requests that wait for their turn with the middlewares',
    onExcess: 'as `on_error` says',
  },
  middlewareTime: {
    value: 500,
    unit: 'ms',
    what: 'One answer of a middleware service, unless its registration says otherwise',
    onExcess: 'as `on_error` says',
  },
  middlewareTimeMost: {
    value: 30_000,
    unit: 'ms',
    what: 'What a registration may give a middleware service for one answer',
    onExcess: 'the registration is refused',
  },
  middlewareConnectTime: {
    value: 5000,
    unit: 'ms',
    what: 'Asking a middleware service about a policy that is being installed',
    onExcess: 'asked again with each request',
  },
  middlewareChainTime: {
    value: 30_000,
    unit: 'ms',
    what: 'All middlewares of one request together',
    onExcess: 'as `on_error` says',
  },
  middlewareBodyBytes: {
    value: 4_194_304,
    unit: 'bytes',
    what: 'A body that is shown to a middleware service, or comes from one',
    onExcess: 'as `on_error` says',
  },
  middlewareConfigBytes: {
    value: 65_536,
    unit: 'bytes',
    what: '`config` of a middleware service, as JSON',
    onExcess: 'the policy is refused',
  },
  middlewareChanges: {
    value: 64,
    unit: 'fields',
    what: 'Header fields that one stage sets and removes',
    onExcess: 'as `on_error` says; nothing is changed',
  },
  middlewareChangeBytes: {
    value: 32_768,
    unit: 'bytes',
    what: 'Names and values of those fields',
    onExcess: 'as `on_error` says; nothing is changed',
  },
  middlewareFindings: {
    value: 32,
    unit: 'findings',
    what: 'Findings of one stage about one request',
    onExcess: 'as `on_error` says; nothing is changed',
  },
  middlewareFindingBytes: {
    value: 4096,
    unit: 'bytes',
    what: 'Message of a finding',
    onExcess: 'as `on_error` says; nothing is changed',
  },
  regexBodyBytes: {
    value: 262_144,
    unit: 'bytes',
    what: 'Request body that `openshell/regex` reads',
    onExcess: 'as `on_error` says',
  },
  inferenceRequests: {
    value: 64,
    unit: 'requests',
    what: 'Requests to inference.local at one time',
    onExcess: 'answered 503',
  },
  inferenceRequestBytes: {
    value: 10_485_760,
    unit: 'bytes',
    what: 'Body of a request to inference.local',
    onExcess: 'answered 413',
  },
  inferenceRequestTime: {
    value: 60_000,
    unit: 'ms',
    what: 'Reading the body of a request to inference.local',
    onExcess: 'answered 408',
  },
  inferenceConnectTime: {
    value: 30_000,
    unit: 'ms',
    what: 'Reaching an inference backend, unless the route says otherwise',
    onExcess: 'answered 504',
  },
  inferenceHeadTime: {
    value: 60_000,
    unit: 'ms',
    what: 'From the request to the head of the response of a backend, unless the route says otherwise',
    onExcess: 'answered 504',
  },
  inferenceTotalTime: {
    value: 60_000,
    unit: 'ms',
    what: 'A response of a backend that is no stream of events, unless the route says otherwise',
    onExcess: 'cut off',
  },
  inferenceChunkTime: {
    value: 120_000,
    unit: 'ms',
    what: 'Silence in a stream of events of a backend, unless the route says otherwise',
    onExcess: 'an error event, then the end',
  },
  inferenceResponseBytes: {
    value: 33_554_432,
    unit: 'bytes',
    what: 'A response of a backend, unless the route says otherwise',
    onExcess: 'an error event and the end, or cut off',
  },
  inferenceEventBytes: {
    value: 262_144,
    unit: 'bytes',
    what: 'One event of a stream that is held until it is complete, and read for its token counts',
    onExcess: 'given on in parts and not read',
  },
  sqlStartTime: {
    value: 10_000,
    unit: 'ms',
    what: "PostgreSQL: each step before the login: the client's start-up packet, the server's answer about TLS, a cancellation",
    onExcess: 'closed',
  },
  sqlLoginTime: {
    value: 60_000,
    unit: 'ms',
    what: 'PostgreSQL: from the start-up packet to the server being ready',
    onExcess: 'answered with an error and closed',
  },
  sqlLoginBytes: {
    value: 65_536,
    unit: 'bytes',
    what: 'PostgreSQL: one message of the client before the server is ready',
    onExcess: 'answered with an error and closed',
  },
  sqlTextBytes: {
    value: 1_048_576,
    unit: 'bytes',
    what: 'PostgreSQL: one message with statements (Query, Parse)',
    onExcess: 'answered with an error and closed',
  },
  sqlMessageBytes: {
    value: 16_777_216,
    unit: 'bytes',
    what: 'PostgreSQL: any other message of the client but data for COPY, which is passed on as it comes',
    onExcess: 'answered with an error and closed',
  },
  sqlAnswerBytes: {
    value: 1_048_576,
    unit: 'bytes',
    what: 'PostgreSQL: an error or a setting of the server; rows and data are passed on as they come',
    onExcess: 'answered with an error and closed',
  },
  sqlPipeline: {
    value: 32_768,
    unit: 'parts',
    what: 'PostgreSQL: statements, tables in them and batches that were sent and not answered yet',
    onExcess: 'answered with an error and closed',
  },
  sqlPrepared: {
    value: 65_536,
    unit: 'parts',
    what: 'PostgreSQL: prepared statements and tables in them, and the same of portals, of one connection that are remembered for a change of policy',
    onExcess: 'the oldest is forgotten, and refused after a change of policy',
  },
  sqlStatements: {
    value: 8192,
    unit: 'parts',
    what: 'PostgreSQL: statements of one message, and tables in them',
    onExcess: 'refused',
  },
  sqlNames: {
    value: 512,
    unit: 'names',
    what: 'PostgreSQL: tables of one statement, and changes in it',
    onExcess: 'refused',
  },
  sqlDepth: {
    value: 256,
    unit: 'levels',
    what: 'PostgreSQL: brackets within brackets',
    onExcess: 'refused',
  },
} as const satisfies Record<string, Limit>;

/** The value of each limit. */
export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

/** The limits with some of them replaced. */
export function limitsWith(changes: Partial<Limits> = {}): Limits {
  const values = Object.fromEntries(Object.entries(LIMITS).map(([name, { value }]) => [name, value]));
  return { ...(values as Limits), ...changes };
}

const grouped = (value: number): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ',');

/** The documentation of the limits, in Markdown. */
export function renderLimitsDocs(): string {
  const rows = Object.entries(LIMITS).map(
    ([name, { value, unit, what, onExcess }]) =>
      `| \`${name}\` | ${what} | ${grouped(value)} ${unit} | ${onExcess} |`,
  );
  return `# Limits of the egress proxy

Made from \`packages/proxy/src/limits.ts\`; a test keeps the two equal. Every count is for one sandbox, so that none can
use up what another needs.

| name | what is bounded | limit | beyond it |
|---|---|---|---|
${rows.join('\n')}
`;
}
