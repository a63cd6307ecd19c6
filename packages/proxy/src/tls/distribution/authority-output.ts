import { messageOf, OpenShellError } from '@openshell/base';
import { isManifestName, MANIFEST_NAME, type ManifestTarget, renderManifest } from '@openshell/control';
import { replaceFile } from './replace-file.ts';

/** Where clients get to know whom they have to trust. */
export type AuthorityOutput =
  /** A PEM bundle. */
  | { readonly kind: 'bundle'; readonly file: string }
  /** The same as an object of Kubernetes. */
  | { readonly kind: 'manifest'; readonly file: string; readonly target: ManifestTarget };

/** Reads `FILE[:NAMESPACE/NAME]`, as `option` has it. Throws `usage`. */
export function parseManifestOutput(
  text: string,
  object: ManifestTarget['object'],
  option: string,
): AuthorityOutput {
  const [, file = '', namespace, name = MANIFEST_NAME] = /^(.*?)(?::([^:/]+)\/([^:/]+))?$/s.exec(text) ?? [];
  const isRight = file !== '' && isManifestName({ name, namespace });
  if (isRight) return { kind: 'manifest', file, target: { object, name, namespace } };
  throw new OpenShellError(`--${option} ${text}: not FILE or FILE:NAMESPACE/NAME`, {
    code: 'usage',
    remedy:
      'Names of Kubernetes are of lower-case letters, digits and "-": write for example ca.json:team-a/proxy-ca.',
  });
}

/** Writes what clients have to trust. Throws `authority_unwritable`. */
export function publish(output: AuthorityOutput, bundlePem: string): void {
  const text = output.kind === 'bundle' ? bundlePem : renderManifest(output.target, bundlePem);
  try {
    replaceFile(output.file, text);
  } catch (cause) {
    throw new OpenShellError(
      `cannot write the authority's certificate to ${output.file}: ${messageOf(cause)}`,
      {
        code: 'authority_unwritable',
        remedy:
          'Name a file in a directory that this user may write; a file that is mounted alone into a container cannot be replaced.',
        cause,
      },
    );
  }
}
