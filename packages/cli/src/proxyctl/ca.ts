import { isManifestName, MANIFEST_NAME, type ManifestTarget, renderManifest } from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import { formats } from '../command/table/proxyctl-ca.ts';
import { usageError } from '../command/usage-error.ts';
import type { Handler } from '../handlers.ts';
import { replaceFile } from './replace-file.ts';
import { jsonText } from './table.ts';
import { oneOf } from './values.ts';
import { visit } from './visit.ts';

/** `openshell proxyctl ca`. */
export const printAuthority: Handler = async (args, io) => {
  const manifest = manifestOf(args);
  const status = await visit({ args, io, role: 'observer' }, (session) => session.authority());
  const text = args.has('json')
    ? jsonText(status)
    : manifest === undefined
      ? status.bundlePem
      : renderManifest(manifest, status.bundlePem);
  const output = args.value('output');
  if (output === undefined) io.out(text);
  else replaceFile(output, text);
  return 0;
};

/** Undefined: no object of Kubernetes. */
const manifestOf = (args: Arguments): ManifestTarget | undefined => {
  const format = oneOf(args.value('format') ?? 'pem', '--format', formats);
  if (args.has('json') && args.has('format'))
    throw usageError('--json and --format are two formats', 'Give one.');
  if (format === 'pem') {
    if (args.has('name'))
      throw usageError(
        '--name is of a Kubernetes object',
        'Write --format secret or --format configmap too.',
      );
    return undefined;
  }
  return { object: format === 'secret' ? 'Secret' : 'ConfigMap', ...nameOf(args.value('name')) };
};

const nameOf = (text = MANIFEST_NAME): Pick<ManifestTarget, 'name' | 'namespace'> => {
  const [name = '', namespace, ...more] = text.split('/').reverse();
  const target = { name, namespace };
  if (more.length === 0 && isManifestName(target)) return target;
  throw usageError(
    `--name: '${text}' is not NAME or NAMESPACE/NAME as Kubernetes has them`,
    'They are of lower-case letters, digits and "-": write for example team-a/proxy-ca.',
  );
};
