import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority with what it has signed, made by openssl in a directory that is removed at once. */
export class LinkAuthority {
  readonly caPem: string;
  readonly #directory: string;
  #serial = 1;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#openssl(
      'req',
      '-x509',
      ...KEY,
      '-days',
      '2',
      '-subj',
      '/CN=link',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    this.caPem = this.#read('ca.pem');
  }

  /** What `make` makes is all that there will be. */
  static with<T>(make: (authority: LinkAuthority) => T): T {
    const directory = mkdtempSync(join(tmpdir(), 'openshell-link-'));
    try {
      return make(new LinkAuthority(directory));
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /** `names` as openssl writes subject alternative names. With -1 for the days it has been over since yesterday. */
  issue(names: string, use: 'serverAuth' | 'clientAuth', days = 2): Identity {
    this.#serial += 1;
    writeFileSync(join(this.#directory, 'ext'), `subjectAltName=${names}\nextendedKeyUsage=${use}\n`);
    this.#openssl('req', ...KEY, '-subj', '/CN=any', '-keyout', 'key', '-out', 'csr');
    this.#openssl(
      ...[
        'x509',
        '-req',
        '-in',
        'csr',
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-set_serial',
        `${this.#serial}`,
      ],
      ...['-days', `${days}`, '-extfile', 'ext', '-out', 'cert'],
    );
    return { cert: this.#read('cert'), key: this.#read('key') };
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: 'pipe' });
  }

  #read(name: string): string {
    return readFileSync(join(this.#directory, name), 'utf8');
  }
}
