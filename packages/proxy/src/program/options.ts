import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { messageOf, OpenShellError } from '@openshell/base';
import type { OperatorOverride } from '../destination/overrides.ts';
import { parseAuthority } from '../http/authority.ts';
import type { MiddlewareService } from '../middleware/service/connection.ts';
import {
  parseClientCertificate,
  parseMiddlewares,
  parseUpstreamProxy,
  type Written,
} from '../operator/options.ts';
import type { UpstreamWord } from '../operator/upstream.ts';

export const USAGE = `usage: openshell-proxy --policy FILE --listen ADDRESS:PORT --identity none [OPTION]...

An explicit HTTP proxy (CONNECT, and http URLs) that lets through what a policy allows.

  --policy FILE          the policy; read again on SIGHUP
  --listen ADDRESS:PORT  where to serve; port 0 takes a free one; IPv6 in brackets
  --identity none        programs are not told apart: the policy's binaries are not asked for.
                         There is no other way for a proxy without a sandbox, so it has to be said.
  --resolve NAME[:PORT]=ADDRESS[:PORT]
                         this name lives at this address, loopback and private ones included
  --events FILE|-        security events as JSON lines, appended to a file or on standard output

Where the policy looks into requests, TLS is opened, and clients have to trust who signs:

  --ca-cert FILE         PEM certificate of an authority that clients trust; goes with --ca-key
  --ca-key FILE          its unencrypted key. Without them a new authority is made in memory
  --ca-out FILE          writes the authority's certificate to FILE, for clients to trust

What requests are given on their way:

  --credentials FILE     credentials, with where they may go; read again on SIGHUP
  --inference-routes FILE
                         the backends of https://inference.local; read again on SIGHUP
  --middleware NAME=URL  a gRPC service that the policy's network_middlewares may name

The way to upstreams:

  --upstream-ca FILE     further authorities (PEM) that upstream servers may be signed by
  --client-certificate HOST=CERT,KEY
                         shown to upstream servers that match HOST (two PEM files)
  --upstream-proxy URL   a proxy (http://HOST:PORT) that connections go out through
  --upstream-proxy-auth FILE
                         user:password for it
  --upstream-no-proxy LIST
                         what is reached without it, as in NO_PROXY

  --help                 this text

--resolve, --middleware, --upstream-ca and --client-certificate can be repeated.

Exit code: 0 after SIGTERM or SIGINT, 1 when it cannot serve, 2 for wrong options.
`;

/** Who signs for the hosts whose TLS is opened. */
export type AuthoritySource =
  | { readonly kind: 'memory' }
  | { readonly kind: 'files'; readonly certificate: string; readonly key: string };

export interface ProgramOptions {
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly resolve: readonly OperatorOverride[];
  readonly events: string | undefined;
  readonly authority: AuthoritySource;
  /** Where the authority's certificate is written. */
  readonly authorityOut: string | undefined;
  readonly credentials: string | undefined;
  readonly inferenceRoutes: string | undefined;
  readonly middlewares: readonly MiddlewareService[];
  readonly upstream: UpstreamWord;
}

const usageError = (message: string, remedy = 'See openshell-proxy --help.'): OpenShellError =>
  new OpenShellError(message, { code: 'usage', remedy });

/** Reads the command line; undefined when only help is wanted. Throws `usage`. */
export function parseOptions(args: readonly string[]): ProgramOptions | undefined {
  const values = readValues(args);
  if (values.help === true) return undefined;
  const { policy, listen, events, resolve = [] } = values;
  if (policy === undefined) throw usageError('--policy FILE is missing');
  if (listen === undefined) throw usageError('--listen ADDRESS:PORT is missing');
  requireIdentity(values.identity);
  return {
    policy,
    listen: parseListen(listen),
    resolve: resolve.map(parseResolveRule),
    events,
    authority: authoritySource(values['ca-cert'], values['ca-key']),
    authorityOut: values['ca-out'],
    credentials: values.credentials,
    inferenceRoutes: values['inference-routes'],
    middlewares: parseMiddlewares(values.middleware ?? [], () => '--middleware'),
    upstream: upstreamWord(values),
  };
}

type Values = ReturnType<typeof readValues>;

function readValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        policy: { type: 'string' },
        listen: { type: 'string' },
        identity: { type: 'string' },
        resolve: { type: 'string', multiple: true },
        events: { type: 'string' },
        'ca-cert': { type: 'string' },
        'ca-key': { type: 'string' },
        'ca-out': { type: 'string' },
        credentials: { type: 'string' },
        'inference-routes': { type: 'string' },
        middleware: { type: 'string', multiple: true },
        'upstream-ca': { type: 'string', multiple: true },
        'client-certificate': { type: 'string', multiple: true },
        'upstream-proxy': { type: 'string' },
        'upstream-proxy-auth': { type: 'string' },
        'upstream-no-proxy': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw usageError(messageOf(cause));
  }
}

function requireIdentity(identity: string | undefined): void {
  if (identity === 'none') return;
  const message =
    identity === undefined
      ? 'a proxy without a sandbox cannot tell which program a connection comes from, and policy is about programs'
      : `--identity ${identity} is not known; "none" is`;
  throw usageError(
    message,
    'Say --identity none to let any program use what the policy allows to some, or use openshell run.',
  );
}

function authoritySource(certificate: string | undefined, key: string | undefined): AuthoritySource {
  if (certificate !== undefined && key !== undefined) return { kind: 'files', certificate, key };
  if (certificate === undefined && key === undefined) return { kind: 'memory' };
  throw usageError('--ca-cert and --ca-key go together');
}

const PROXY_OPTIONS = {
  url: 'upstream-proxy',
  authFile: 'upstream-proxy-auth',
  noProxy: 'upstream-no-proxy',
} as const;

function upstreamWord(values: Values): UpstreamWord {
  const written = (option: string): Written => ({ source: `--${option}`, directory: '.' });
  const { url, authFile, noProxy } = PROXY_OPTIONS;
  return {
    authorities: values['upstream-ca'] ?? [],
    clientCertificates: (values['client-certificate'] ?? []).map((text) =>
      parseClientCertificate(text, written('client-certificate')),
    ),
    proxy: parseUpstreamProxy(
      { url: values[url], authFile: values[authFile], noProxy: values[noProxy] },
      (text) => written(PROXY_OPTIONS[text]),
    ),
  };
}

function parseListen(text: string): ProgramOptions['listen'] {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const host = parts?.[1] ?? parts?.[2] ?? '';
  const port = Number(parts?.[3]);
  if (isIP(host) === 0 || !(port <= 65_535)) {
    throw usageError(`--listen ${text}: not ADDRESS:PORT`, 'Write for example 127.0.0.1:3128 or [::1]:3128.');
  }
  return { host, port };
}

/** Reads `NAME[:PORT]=ADDRESS[:PORT]`, IPv6 in brackets. */
export function parseResolveRule(text: string): OperatorOverride {
  const wrong = (why: string): OpenShellError =>
    usageError(
      `--resolve ${text}: ${why}`,
      'Write for example db.internal:5432=127.0.0.1:15432 or db.internal=[::1].',
    );
  const equals = text.indexOf('=');
  if (equals === -1) throw wrong('there is no "="');
  const from = withOptionalPort(text.slice(0, equals));
  const to = withOptionalPort(text.slice(equals + 1));
  if (from === undefined || isIP(from.host) !== 0) throw wrong('what stands before "=" is no host name');
  if (to === undefined || isIP(to.host) === 0) throw wrong('what stands behind "=" is no address');
  return {
    name: from.host,
    address: to.host,
    ...(from.port !== undefined && { port: from.port }),
    ...(to.port !== undefined && { toPort: to.port }),
  };
}

function withOptionalPort(text: string): { host: string; port: number | undefined } | undefined {
  const withPort = parseAuthority(text);
  if (withPort !== undefined) return withPort;
  const host = parseAuthority(text, 1)?.host;
  return host === undefined ? undefined : { host, port: undefined };
}
