/** One option: what follows it on the command line, and what it is for. */
export interface OptionRow {
  /** What stands behind it; absent: nothing. */
  readonly value?: string;
  readonly multiple?: true;
  /** Another name for it, kept for those who know it. */
  readonly alias?: string;
  readonly help: string;
}

const SERVING = {
  listen: {
    value: 'WHERE',
    multiple: true,
    help: `where programs find the proxy (HTTP CONNECT, http URLs and SOCKS5 on one port):
127.0.0.1:3128, [::1]:3128, :3128 (every address), port 0 for a free one,
fd:NAME or fd:NUMBER for a socket that systemd hands over`,
  },
  identity: {
    value: 'none',
    help: `programs are not told apart: what the policy allows to some may be used by any.
Without it a policy that names binaries is refused, because nobody here can check them`,
  },
  tenant: {
    value: 'ID',
    help: 'what the clients of --listen are called in events (openshell-proxy)',
  },
  resolve: {
    value: 'NAME[:PORT]=ADDRESS[:PORT]',
    multiple: true,
    help: 'this name lives at this address, loopback and private ones included',
  },
} as const satisfies Rows;

const POLICY = {
  policy: { value: 'FILE', help: 'what may be reached. Without one everything is denied' },
  credentials: { value: 'FILE', help: 'credentials, with where they may go' },
  routes: { value: 'FILE', alias: 'inference-routes', help: 'the backends of https://inference.local' },
  tenants: {
    value: 'FILE',
    help: 'many clients, each with its own policy and how it is recognised, instead of --policy',
  },
  middleware: {
    value: 'NAME=URL',
    multiple: true,
    help: "a gRPC service that the policy's network_middlewares may name",
  },
  'deny-all': { help: 'denying everything is what is wanted: /readyz says ready without a policy' },
} as const satisfies Rows;

const CONTROL = {
  control: {
    value: 'WHERE',
    multiple: true,
    help: 'unix:PATH, or HOST:PORT with mutual TLS; openshell proxyctl speaks to it',
  },
  'control-cert': { value: 'FILE', help: 'PEM certificate that HOST:PORT shows' },
  'control-key': { value: 'FILE', help: 'its key' },
  'control-client-ca': { value: 'FILE', help: 'who signs the certificates of controllers' },
  'control-client': {
    value: 'NAME',
    multiple: true,
    help: 'only certificates with this name (URI or DNS) may control; any that is signed, otherwise',
  },
  'control-token-file': { value: 'FILE', help: 'a token that controllers must show as well; may change' },
  'control-uid': {
    value: 'UID',
    multiple: true,
    help: "who may use unix:PATH besides root and the proxy's own user",
  },
  'control-host-sources': {
    help: `controllers may name files, commands and variables of this machine as sources of
credentials; otherwise only values that they push`,
  },
} as const satisfies Rows;

const LINK = {
  link: { value: 'HOST:PORT', help: 'where openshell-sandbox --proxy connects from other machines' },
  'link-cert': { value: 'FILE', help: 'PEM certificate that is shown there' },
  'link-key': { value: 'FILE', help: 'its key' },
  'link-client-ca': { value: 'FILE', help: 'who signs the certificates of nodes' },
} as const satisfies Rows;

const AUTHORITY = {
  'ca-cert': { value: 'FILE', help: 'PEM certificate of an authority that clients trust; with --ca-key' },
  'ca-key': { value: 'FILE', help: 'its unencrypted key. Without them an authority is made in memory' },
  'ca-dir': {
    value: 'DIR',
    help: 'the same from tls.crt and tls.key, as Kubernetes mounts a kubernetes.io/tls Secret',
  },
  'ca-overlap': {
    value: 'SECONDS',
    help: 'how long a changed authority is announced before it signs (0: at once)',
  },
  'ca-out': { value: 'FILE', help: 'writes what clients have to trust to FILE, again at each change' },
  'ca-secret-out': {
    value: 'FILE[:NAMESPACE/NAME]',
    help: 'the same as a manifest of a Kubernetes Secret, under ca.crt',
  },
  'ca-configmap-out': { value: 'FILE[:NAMESPACE/NAME]', help: 'the same as a ConfigMap' },
} as const satisfies Rows;

const UPSTREAM = {
  'upstream-ca': {
    value: 'FILE',
    multiple: true,
    help: 'further authorities (PEM) that upstream servers may be signed by',
  },
  'client-certificate': {
    value: 'HOST=CERT,KEY',
    multiple: true,
    help: 'shown to upstream servers that match HOST (two PEM files)',
  },
  'upstream-proxy': { value: 'URL', help: 'a proxy (http://HOST:PORT) that connections go out through' },
  'upstream-proxy-auth': { value: 'FILE', help: 'user:password for it' },
  'upstream-no-proxy': { value: 'LIST', help: 'what is reached without it, as in NO_PROXY' },
} as const satisfies Rows;

const OPERATION = {
  status: { value: 'HOST:PORT', help: 'serves /healthz, /readyz, /metrics and /ca.pem, and nothing else' },
  workers: {
    value: 'N|auto',
    help: 'processes that share the connections (1); auto: as many as there are cores',
  },
  'drain-timeout': {
    value: 'SECONDS',
    help: 'how long open connections may go on after SIGTERM (30); a second signal ends at once',
  },
  events: {
    value: 'FILE|-',
    help: 'security events as JSON lines, appended to a file or on standard output',
  },
  'log-format': { value: 'text|json', help: 'of what is said on standard error (text)' },
  'trace-header': {
    value: 'off|forward|add',
    help: `whether upstreams are told of traces (traceparent): not by the proxy (off, which lets by
what a client sends), those that clients begin (forward), or every one (add)`,
  },
  'otlp-endpoint': {
    value: 'URL',
    help: 'where spans are sent, as OTLP over HTTP: http://127.0.0.1:4318',
  },
  'otlp-headers-file': { value: 'FILE', help: 'header fields to send along, one a line' },
} as const satisfies Rows;

const OTHER = {
  help: { help: 'this text' },
  version: { help: 'the version' },
} as const satisfies Rows;

type Rows = Readonly<Record<string, OptionRow>>;

export interface OptionGroup {
  readonly title: string;
  readonly rows: Rows;
}

/** In the order of the help. */
export const GROUPS: readonly OptionGroup[] = [
  { title: 'Who is served', rows: SERVING },
  { title: 'What they may do; read again when a file changes, and on SIGHUP', rows: POLICY },
  { title: 'Being told what they may do, by a controller', rows: CONTROL },
  { title: 'Sandboxes on other machines', rows: LINK },
  {
    title: 'Where the policy looks into requests, TLS is opened, and clients have to trust who signs',
    rows: AUTHORITY,
  },
  { title: 'The way to upstreams', rows: UPSTREAM },
  { title: 'Running it', rows: OPERATION },
  { title: 'Others', rows: OTHER },
];

type Table = typeof SERVING &
  typeof POLICY &
  typeof CONTROL &
  typeof LINK &
  typeof AUTHORITY &
  typeof UPSTREAM &
  typeof OPERATION &
  typeof OTHER;

export type OptionName = keyof Table;

/** What stood on the command line, each option under its first name. */
export type OptionValues = {
  readonly [Name in OptionName]?: Table[Name] extends { readonly multiple: true }
    ? readonly string[]
    : Table[Name] extends { readonly value: string }
      ? string
      : boolean;
};
