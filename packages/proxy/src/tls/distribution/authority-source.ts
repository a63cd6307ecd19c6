import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readOperatorFile } from '../../operator/read-file.ts';
import { SigningAuthority } from '../authority.ts';
import { readCertificates } from '../pem.ts';

/** Where a proxy has its authority from. */
export type AuthoritySource =
  /** Made at start, and nowhere else. */
  | { readonly kind: 'memory' }
  /** Two PEM files. */
  | { readonly kind: 'files'; readonly certificate: string; readonly key: string }
  /** The form in which Kubernetes mounts a Secret of type `kubernetes.io/tls`: `tls.crt`, `tls.key`, and perhaps `ca.crt`. */
  | { readonly kind: 'directory'; readonly path: string };

export type OperatorSource = Exclude<AuthoritySource, { readonly kind: 'memory' }>;

/** What has to be looked at again when it changes: files, or a directory with its entries. */
export function watchedPaths(source: AuthoritySource): readonly string[] {
  switch (source.kind) {
    case 'memory':
      return [];
    case 'files':
      return [source.certificate, source.key];
    case 'directory':
      return [source.path];
    default:
      return source satisfies never;
  }
}

/** The file that holds the key. */
export const keyFile = (source: OperatorSource): string =>
  source.kind === 'files' ? source.key : join(source.path, 'tls.key');

/**
 * Reads the authority that an operator gave. Throws `operator_file_unreadable`, `certificate_invalid` or `authority_invalid`;
 * nothing of a key is in a message.
 */
export function readAuthority(source: OperatorSource, now: number = Date.now()): SigningAuthority {
  const { chainPem, keyPem } =
    source.kind === 'files' ? readFiles(source.certificate, source.key) : readDirectory(source.path);
  return SigningAuthority.load(chainPem, keyPem, now);
}

/** Whether every user of the machine can read the key. */
export function isExposed(source: OperatorSource): boolean {
  const stats = statSync(keyFile(source), { throwIfNoEntry: false });
  return stats !== undefined && (stats.mode & 0o004) !== 0;
}

interface Pair {
  readonly chainPem: string;
  readonly keyPem: string;
}

const readFiles = (certificate: string, key: string): Pair => ({
  chainPem: readOperatorFile(certificate, "the authority's certificate"),
  keyPem: readOperatorFile(key, "the authority's key"),
});

/** All files of one version: Kubernetes swaps the link `..data` to a new directory and then removes the old one. */
function readDirectory(path: string): Pair {
  const version = currentVersion(path);
  try {
    return readVersion(version);
  } catch (error) {
    const later = currentVersion(path);
    if (later === version) throw error;
    return readVersion(later);
  }
}

function currentVersion(path: string): string {
  try {
    return realpathSync(join(path, '..data'));
  } catch {
    // No such link: somebody else than Kubernetes put the files there.
    return path;
  }
}

function readVersion(directory: string): Pair {
  const pair = readFiles(join(directory, 'tls.crt'), join(directory, 'tls.key'));
  const above = join(directory, 'ca.crt');
  if (statSync(above, { throwIfNoEntry: false }) === undefined) return pair;
  return {
    ...pair,
    chainPem: completed(pair.chainPem, readOperatorFile(above, 'the certificates above it')),
  };
}

/** The chain with those of the others that lie above it: `ca.crt` may also hold the certificate itself, and unrelated ones. */
function completed(chainPem: string, othersPem: string): string {
  const chain = readCertificates(chainPem, "the authority's certificate");
  const others = readCertificates(othersPem, 'the certificates above it');
  for (let last = chain.at(-1)!; !last.checkIssued(last); ) {
    const above = others.find(
      (other) => last.checkIssued(other) && !chain.some((one) => one.raw.equals(other.raw)),
    );
    if (above === undefined) break;
    chain.push(above);
    last = above;
  }
  return chain.map(String).join('');
}
