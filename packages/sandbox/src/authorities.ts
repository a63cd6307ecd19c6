import { existsSync, readFileSync } from 'node:fs';
import { SYSTEM_BUNDLES } from '@openshell/base';
import type { SandboxFile } from '@openshell/runtime';

/** The system's authorities, the operator's and the proxy's. */
export const CA_BUNDLE = '/run/openshell/tls/ca-bundle.pem';
/** Without the system's, for programs that add a file to their own. */
export const EXTRA_CA = '/run/openshell/tls/extra-ca.pem';
/** The proxy's alone, for programs that are told whom to trust by hand. */
export const PROXY_CA = '/run/openshell/tls/openshell-ca.pem';

export interface AuthorityOptions {
  /** PEM files of the operator's. Programs trust them too: they need them where the proxy passes TLS on unopened. */
  readonly upstreamCa: readonly string[];
  /** PEM of the proxy's own; absent where it opens nothing. */
  readonly proxyCa?: string | undefined;
}

/**
 * The files that make programs in the sandbox trust what the operator trusts, and the proxy. None where there is nothing to add.
 * The system's own bundle is replaced too, in the sandbox's view: GnuTLS (wget) and others read it and no variable.
 */
export const authorityFiles = ({ upstreamCa, proxyCa }: AuthorityOptions): SandboxFile[] => {
  const own = proxyCa === undefined ? [] : [Buffer.from(proxyCa)];
  const operators = upstreamCa.map((path) => readFileSync(path));
  if (own.length + operators.length === 0) return [];
  const systems = SYSTEM_BUNDLES.filter((path) => existsSync(path));
  const bundle = [...systems.slice(0, 1).map((path) => readFileSync(path)), ...operators, ...own];
  return [
    ...systems.map((path) => file(path, bundle)),
    file(CA_BUNDLE, bundle),
    file(EXTRA_CA, [...own, ...operators]),
    ...(own.length > 0 ? [file(PROXY_CA, own)] : []),
  ];
};

const file = (path: string, parts: readonly Buffer[]): SandboxFile => ({
  path,
  content: Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')])),
  mode: 0o444,
});
