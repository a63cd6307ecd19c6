import { isIP } from 'node:net';
import type { OpenShellError } from '@openshell/base';
import type { OperatorOverride } from '../../destination/overrides.ts';
import { parseAuthority } from '../../http/authority.ts';
import { usageError } from './usage-error.ts';

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
