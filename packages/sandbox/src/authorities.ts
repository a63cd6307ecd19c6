import { existsSync, readFileSync } from 'node:fs';
import type { SandboxFile } from '@openshell/runtime';

/** Where distributions keep the bundle of certificate authorities that the system trusts. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

export const CA_BUNDLE = '/run/openshell/tls/ca-bundle.pem';
export const EXTRA_CA = '/run/openshell/tls/extra-ca.pem';

/** The files that make programs in the sandbox trust what the operator trusts. None where the operator adds nothing. */
export const authorityFiles = (upstreamCa: readonly string[]): SandboxFile[] => {
  if (upstreamCa.length === 0) return [];
  const extra = Buffer.concat(upstreamCa.flatMap((path) => [readFileSync(path), Buffer.from('\n')]));
  const system = SYSTEM_BUNDLES.find((path) => existsSync(path));
  const bundle = system ? Buffer.concat([readFileSync(system), Buffer.from('\n'), extra]) : extra;
  return [
    { path: CA_BUNDLE, content: bundle, mode: 0o444 },
    { path: EXTRA_CA, content: extra, mode: 0o444 },
  ];
};
