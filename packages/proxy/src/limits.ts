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
