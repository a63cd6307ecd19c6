import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { messageOf, OpenShellError } from '@openshell/base';
import type { OperatorOverride } from '../destination/overrides.ts';
import { parseAuthority } from '../http/authority.ts';

export const USAGE = `usage: openshell-proxy --policy FILE --listen ADDRESS:PORT --identity none
                       [--resolve NAME[:PORT]=ADDRESS[:PORT]]... [--events FILE|-]

An explicit HTTP proxy (CONNECT, and http URLs) that lets through what a policy allows.

  --policy FILE          the policy; read again on SIGHUP
  --listen ADDRESS:PORT  where to serve; port 0 takes a free one; IPv6 in brackets
  --identity none        programs are not told apart: the policy's binaries are not asked for.
                         There is no other way for a proxy without a sandbox, so it has to be said.
  --resolve RULE         this name lives at this address, loopback and private ones included
  --events FILE|-        security events as JSON lines, appended to a file or on standard output
  --help                 this text

Exit code: 0 after SIGTERM or SIGINT, 1 when it cannot serve, 2 for wrong options.
`;

export interface ProgramOptions {
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly resolve: readonly OperatorOverride[];
  readonly events: string | undefined;
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
  return { policy, listen: parseListen(listen), resolve: resolve.map(parseResolveRule), events };
}

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
