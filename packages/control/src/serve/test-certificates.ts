import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of openssl's, for tests alone. */
export class TestAuthority implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'openshell-ca-'));
  readonly pem: string;
  #count = 0;

  constructor() {
    this.#openssl(
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test'.split(' '),
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    this.pem = this.#read('ca.pem');
  }

  /** `names` as openssl writes them: `DNS:a.example`, `URI:spiffe://a/b`, `IP:127.0.0.1`. */
  issue(...names: readonly string[]): Identity {
    const name = `${this.#count++}`;
    writeFileSync(join(this.#directory, `${name}.ext`), `subjectAltName=${names.join(',')}\n`);
    this.#openssl(
      ...'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=leaf'.split(' '),
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    this.#openssl(
      ...'x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial'.split(' '),
      '-in',
      `${name}.csr`,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
    return { certificate: this.#read(`${name}.pem`), key: this.#read(`${name}.key`) };
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #openssl(...parameters: readonly string[]): void {
    execFileSync('openssl', parameters, { cwd: this.#directory, stdio: 'ignore' });
  }

  #read(file: string): string {
    return readFileSync(join(this.#directory, file), 'utf8');
  }
}
