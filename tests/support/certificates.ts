import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Scratch } from './scratch.ts';

const run = promisify(execFile);

/** A server's certificate with the authority that signed it. */
export interface Certificates {
  /** File of the authority's certificate, for --upstream-ca. */
  readonly authorityFile: string;
  readonly certificate: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** Makes an authority and a certificate for `names`, with openssl, in a scratch directory. */
export const makeCertificates = async (scratch: Scratch, names: readonly string[]): Promise<Certificates> => {
  const at = (name: string): string => scratch.join(name);
  await run('openssl', [
    ...['req', '-x509', ...KEY, '-subj', '/CN=OpenShell test authority'],
    ...['-addext', 'keyUsage=critical,keyCertSign', '-keyout', at('ca.key'), '-out', at('ca.pem')],
  ]);
  const subject = names.map((name) => `DNS:${name}`).join(',');
  writeFileSync(at('leaf.ext'), `subjectAltName=${subject}\n`);
  await run('openssl', [
    'req',
    ...KEY,
    '-subj',
    `/CN=${names[0]}`,
    '-keyout',
    at('leaf.key'),
    '-out',
    at('leaf.csr'),
  ]);
  await run('openssl', [
    ...[
      'x509',
      '-req',
      '-in',
      at('leaf.csr'),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
    ],
    ...['-days', '2', '-extfile', at('leaf.ext'), '-out', at('leaf.pem')],
  ]);
  return {
    authorityFile: at('ca.pem'),
    certificate: readFileSync(at('leaf.pem'), 'utf8'),
    key: readFileSync(at('leaf.key'), 'utf8'),
  };
};
