import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type TestCertificates } from './certificates.ts';

const ROOT = '/usr/lib/postgresql';

/** Where the programs of the newest installed version are; undefined: there is none. */
export const postgresPrograms = (): string | undefined => {
  if (!existsSync(ROOT)) return undefined;
  const versions = readdirSync(ROOT).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(ROOT, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'postgres')));
};

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server of our own in a scratch directory, with TLS, a user with a SCRAM password (`scram`, `secret`) and a few tables. */
export class Postgres implements AsyncDisposable {
  readonly port: number;
  readonly certificates: TestCertificates;
  readonly #bin: string;
  readonly directory: string;
  readonly #process: ChildProcess;

  static async start(bin: string, host?: string): Promise<Postgres> {
    const directory = mkdtempSync(join(tmpdir(), 'openshell-postgres-'));
    const certificates = makeCertificates(directory, 'server', host);
    const data = join(directory, 'data');
    writeFileSync(join(directory, 'password'), 'secret');
    if (isRoot) execFileSync('chown', ['-R', USER, directory]);
    const init = ['-D', data, '-U', 'admin', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    execFileSync(...as(join(bin, 'initdb'), init), { stdio: 'ignore', cwd: '/' });
    writeFileSync(
      join(data, 'pg_hba.conf'),
      'host all scram 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\nlocal all all trust\n',
    );
    const port = await freePort();
    const settings = {
      ...{ port, listen_addresses: '127.0.0.1', unix_socket_directories: directory, fsync: 'off' },
      ...{
        ssl: 'on',
        ssl_cert_file: `${directory}/server-leaf.pem`,
        ssl_key_file: `${directory}/server-leaf.key`,
      },
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(...as(join(bin, 'postgres'), ['-D', data, ...words]), {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: '/',
    });
    for await (const line of server.stderr!) if (String(line).includes('ready to accept connections')) break;
    return new Postgres(bin, port, directory, certificates, server);
  }

  private constructor(
    bin: string,
    port: number,
    directory: string,
    certificates: TestCertificates,
    server: ChildProcess,
  ) {
    this.#bin = bin;
    this.port = port;
    this.directory = directory;
    this.certificates = certificates;
    this.#process = server;
  }

  /** Runs a client program against a port. */
  run(
    program: string,
    port: number,
    words: readonly string[],
    environment: Record<string, string> = {},
    started: (child: ChildProcess) => void = () => {},
  ): Promise<Run> {
    const env = {
      ...{
        PATH: process.env.PATH ?? '',
        PGHOST: 'localhost',
        PGHOSTADDR: '127.0.0.1',
        PGPORT: String(port),
      },
      ...{
        PGUSER: 'admin',
        PGDATABASE: 'postgres',
        PGCONNECT_TIMEOUT: '10',
        HOME: this.directory,
        ...environment,
      },
    };
    return new Promise((resolve) => {
      const child = execFile(join(this.#bin, program), words, { env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
      );
      started(child);
    });
  }

  psql(port: number, commands: readonly string[], environment?: Record<string, string>): Promise<Run> {
    return this.run(
      'psql',
      port,
      ['-X', '-At', ...commands.flatMap((command) => ['-c', command])],
      environment,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGQUIT');
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** PostgreSQL does not run as root. */
const isRoot = process.getuid?.() === 0;
const USER = 'nobody';
const as = (program: string, words: string[]): [string, string[]] =>
  isRoot
    ? ['setpriv', ['--reuid', USER, '--regid', 'nogroup', '--clear-groups', program, ...words]]
    : [program, words];

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
