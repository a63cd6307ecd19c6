import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import type { Scratch } from './scratch.ts';

const run = promisify(execFile);

/** What a server needs, in PEM. */
export interface ServerIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** A server's certificate with the authority that signed it. */
export interface Certificates extends ServerIdentity {
  /** File of the authority's certificate, for --upstream-ca. */
  readonly authorityFile: string;
}

/** A certificate with its key, as files and as what is in them. */
export interface IssuedCertificate extends ServerIdentity {
  readonly certificateFile: string;
  readonly keyFile: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

const issued = (certificateFile: string, keyFile: string): IssuedCertificate => ({
  certificateFile,
  keyFile,
  certificate: readFileSync(certificateFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
});

const alternativeNames = (names: readonly string[]): string =>
  names.map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`).join(',');

/** An authority that openssl made in a scratch directory; its `name` keeps its files apart from others'. */
export class TestAuthority {
  readonly file: string;
  readonly #scratch: Scratch;
  readonly #name: string;

  private constructor(scratch: Scratch, name: string) {
    this.#scratch = scratch;
    this.#name = name;
    this.file = scratch.join(`${name}.pem`);
  }

  static async make(scratch: Scratch, name = 'ca'): Promise<TestAuthority> {
    const authority = new TestAuthority(scratch, name);
    await run('openssl', [
      ...['req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=OpenShell test authority ${name}`],
      ...['-addext', 'keyUsage=critical,keyCertSign', '-keyout', authority.#keyFile, '-out', authority.file],
    ]);
    return authority;
  }

  get #keyFile(): string {
    return this.#scratch.join(`${this.#name}.key`);
  }

  /** For names and addresses. With -1 for the days it has been over since yesterday. */
  async issue(
    names: readonly string[],
    { use = 'serverAuth', days = 2 }: { use?: 'serverAuth' | 'clientAuth'; days?: 2 | -1 } = {},
  ): Promise<IssuedCertificate> {
    const at = (kind: string): string =>
      this.#scratch.join(`${this.#name}-${names.join('-').replaceAll(':', '_')}-${use}${days}.${kind}`);
    writeFileSync(at('ext'), `subjectAltName=${alternativeNames(names)}\nextendedKeyUsage=${use}\n`);
    const subject = ['-subj', `/CN=${names[0]}`];
    await run('openssl', ['req', ...KEY, ...subject, '-keyout', at('key'), '-out', at('csr')]);
    await run('openssl', [
      ...['x509', '-req', '-in', at('csr'), '-CA', this.file, '-CAkey', this.#keyFile],
      // Of our own: openssl would keep the last one in a file that two of these would share.
      ...['-set_serial', `0x${process.hrtime.bigint().toString(16)}`, '-days', String(days)],
      ...['-extfile', at('ext'), '-out', at('pem')],
    ]);
    return issued(at('pem'), at('key'));
  }
}

/** A certificate that nobody has signed but itself. */
export const selfSigned = async (scratch: Scratch, name: string): Promise<IssuedCertificate> => {
  const [certificate, key] = [scratch.join(`self-${name}.pem`), scratch.join(`self-${name}.key`)];
  await run('openssl', [
    ...['req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`],
    ...['-addext', `subjectAltName=${alternativeNames([name])}`, '-keyout', key, '-out', certificate],
  ]);
  return issued(certificate, key);
};

/** Makes an authority and a certificate for `names`. */
export const makeCertificates = async (scratch: Scratch, names: readonly string[]): Promise<Certificates> => {
  const authority = await TestAuthority.make(scratch);
  const { certificate, key } = await authority.issue(names);
  return { authorityFile: authority.file, certificate, key };
};
