import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestCertificates {
  readonly authorityFile: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** An authority and a certificate of its for a host. */
export function makeCertificates(directory: string, name: string, host = 'localhost'): TestCertificates {
  const at = (file: string): string => join(directory, `${name}-${file}`);
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { stdio: 'ignore' });
  };
  const ca = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-addext', 'keyUsage=critical,keyCertSign'];
  openssl('req', '-x509', ...EC, '-subj', `/CN=${name}`, ...ca);
  openssl('req', ...EC, '-subj', `/CN=${host}`, '-keyout', at('leaf.key'), '-out', at('leaf.csr'));
  writeFileSync(at('leaf.ext'), `subjectAltName=DNS:${host}\n`);
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
  openssl(
    'x509',
    '-req',
    '-in',
    at('leaf.csr'),
    ...signing,
    '-extfile',
    at('leaf.ext'),
    '-out',
    at('leaf.pem'),
  );
  return {
    authorityFile: at('ca.pem'),
    authority: readFileSync(at('ca.pem'), 'utf8'),
    certificate: readFileSync(at('leaf.pem'), 'utf8'),
    key: readFileSync(at('leaf.key'), 'utf8'),
  };
}
