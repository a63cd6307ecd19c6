import { writeFileSync } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';
import { readOperatorFile } from '../operator/read-file.ts';
import { SigningAuthority } from '../tls/authority.ts';
import type { AuthoritySource } from './options.ts';

/** The operator's authority, or undefined for one in memory. Throws `operator_file_unreadable`, `certificate_invalid` or `authority_invalid`. */
export const readAuthority = (source: AuthoritySource): SigningAuthority | undefined =>
  source.kind === 'memory'
    ? undefined
    : SigningAuthority.load(
        readOperatorFile(source.certificate, "the authority's certificate"),
        readOperatorFile(source.key, "the authority's key"),
      );

/** Writes what clients have to trust. Throws `authority_unwritable`. */
export function writeAuthority(file: string, certificatePem: string): void {
  try {
    writeFileSync(file, certificatePem, { mode: 0o644 });
  } catch (cause) {
    throw new OpenShellError(`cannot write the authority's certificate: ${messageOf(cause)}`, {
      code: 'authority_unwritable',
      remedy: 'Give --ca-out a file in a directory that this user may write.',
      cause,
    });
  }
}
