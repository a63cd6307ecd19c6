import type { CommandSpec } from '../command.ts';
import { connection, failed, json, patience, takeOver } from './proxyctl-options.ts';

/** How the certificates can be printed. */
export const formats = ['pem', 'secret', 'configmap'] as const;

/** In their order. */
export const steps = ['prepare', 'activate', 'retire'] as const;

const jsonOutput = `{
  "certificates": [
    {
      "role": "signing",        // "next": it will sign; "previous": it did
      "pem": "…", "fingerprint": "…",              // SHA-256, hexadecimal
      "notBefore": 1760000000000, "notAfter": 1790000000000
    }
  ],
  "bundlePem": "…"              // all of them: what clients are to trust
}`;

export const proxyctlCa = {
  name: 'proxyctl ca',
  summary: 'Print what clients of a proxy have to trust',
  description: [
    'Prints the certificates that clients have to trust where the proxy looks into requests: of the authority that signs what they are shown, and during a rotation of the next and the previous one. No key is among them.',
    'The formats for Kubernetes are manifests for kubectl apply, with the bundle under ca.crt.',
  ],
  operands: { kind: 'none' },
  options: [
    {
      name: 'format',
      value: { placeholder: 'FORMAT', kind: formats },
      summary: 'how to print them',
      details: 'pem, or the manifest of a Kubernetes secret or configmap. Default: pem.',
    },
    {
      name: 'name',
      value: { placeholder: '[NAMESPACE/]NAME', kind: 'text' },
      summary: 'name of the Kubernetes object',
      details:
        'What the Kubernetes object is called. Default: openshell-proxy-ca, in the namespace that kubectl says.',
    },
    {
      name: 'output',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'write to a file',
      details: 'Writes to FILE instead, which is replaced as a whole.',
    },
    ...connection,
    patience,
    json,
  ],
  examples: [
    { line: 'openshell proxyctl ca --output /etc/openshell/proxy-ca.pem', explains: 'for SSL_CERT_FILE' },
    {
      line: 'openshell proxyctl ca --format configmap --name team-a/proxy-ca | kubectl apply -f -',
      explains: 'for pods',
    },
  ],
  exitCodes: [{ code: '0', meaning: 'they are printed or written' }, failed],
  failure: 2,
  json: jsonOutput,
} as const satisfies CommandSpec;

export const proxyctlRotate = {
  name: 'proxyctl ca rotate',
  summary: 'Take a step of changing the authority of a proxy',
  description: [
    'Changes the authority that signs for inspected hosts in three steps, so that there is no moment at which clients do not trust what they are shown. prepare makes a new one, which is in the output of openshell proxyctl ca from then on; bring that to the clients. activate signs with it. retire forgets the old one, once nothing that it signed is shown any longer.',
  ],
  operands: { kind: 'words', value: { placeholder: 'STEP', kind: steps }, minimum: 1, maximum: 1 },
  options: [...connection, patience, takeOver, json],
  examples: [
    { line: 'openshell proxyctl ca rotate prepare', explains: 'make the next authority' },
    { line: 'openshell proxyctl ca rotate activate', explains: 'when all clients trust it' },
    { line: 'openshell proxyctl ca rotate retire', explains: 'a day later' },
  ],
  exitCodes: [{ code: '0', meaning: 'the step is taken' }, failed],
  failure: 2,
  json: jsonOutput,
} as const satisfies CommandSpec;
