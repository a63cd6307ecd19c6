/** An object of Kubernetes that holds what clients have to trust. */
export interface ManifestTarget {
  readonly object: 'Secret' | 'ConfigMap';
  readonly name: string;
  /** Absent: whoever applies it says which. */
  readonly namespace?: string | undefined;
}

/** What the object is called where nobody says otherwise. */
export const MANIFEST_NAME = 'openshell-proxy-ca';

/** Where cert-manager and most programs look for authorities in a Secret or ConfigMap. */
const KEY = 'ca.crt';
/** RFC 1123 labels; of a name several, with dots. */
const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const NAMESPACE = new RegExp(`^${LABEL}$`);
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/** Whether Kubernetes can call it so. */
export const isManifestName = ({ name, namespace }: Pick<ManifestTarget, 'name' | 'namespace'>): boolean =>
  NAME.test(name) && (namespace === undefined || NAMESPACE.test(namespace));

/** As JSON, which is YAML too, for `kubectl apply -f`. There is no private key in it. */
export function renderManifest({ object, name, namespace }: ManifestTarget, bundlePem: string): string {
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    labels: { 'app.kubernetes.io/managed-by': 'openshell-proxy' },
  };
  const head = { apiVersion: 'v1', kind: object, metadata };
  const manifest =
    object === 'Secret'
      ? { ...head, type: 'Opaque', data: { [KEY]: Buffer.from(bundlePem).toString('base64') } }
      : { ...head, data: { [KEY]: bundlePem } };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
