import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createApiOrigin } from './origins/api-origin.ts';
import { createDatabaseOrigin } from './origins/database-origin.ts';
import { createHttpsOrigin } from './origins/https-origin.ts';
import { makeAuthority, makeServerIdentity } from './x509/certificate.ts';

const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';
const OPENSHELL_BIN = fileURLToPath(new URL('../../bin', import.meta.url));
const run = promisify(execFile);

/** The programs of the system, under the names that a policy would use for them. */
const findProgram = (name: string): string | undefined =>
  SYSTEM_PATH.split(':')
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

const listening = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

const policyText = (node: string): string => `version: 1
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /etc, /proc, /dev/urandom, ${node}]
  read_write: [/tmp, /dev/null]
network_policies:
  website:
    endpoints:
      - { host: origin.test, port: 443 }
    binaries:
      - { path: /usr/bin/curl }
      - { path: ${node} }
      - { path: /usr/bin/git }
      - { path: "/usr/lib/git-core/*" }
  api:
    endpoints:
      - host: api.test
        port: 443
        protocol: rest
        enforcement: enforce
        rules:
          - allow: { method: GET, path: "/**" }
    binaries:
      - { path: /usr/bin/curl }
  database:
    endpoints:
      - { host: database.test, port: 5432, protocol: tcp }
    binaries:
      - { path: /usr/bin/psql }
      - { path: "/usr/lib/postgresql/*/bin/*" }
      - { path: /usr/bin/python3 }
`;

/** Where requests to `inference.local` go. */
const ROUTES = `routes:
  - name: parrot
    models: [parrot]
    protocols: [openai_chat_completions]
    base_url: https://models.test
    auth: { kind: bearer, env: MODEL_KEY }
`;

/** Where the servers listen. */
interface Ports {
  readonly https: number;
  readonly api: number;
  readonly database: number;
}

/** The operator's word: where the names of the tour live and whom to trust. No policy can say this. */
const configurationText = ({ https, api, database }: Ports, authority: string): string => `resolve = [
  "origin.test:443=127.0.0.1:${https}",
  "api.test:443=127.0.0.1:${api}",
  "models.test:443=127.0.0.1:${api}",
  "database.test:5432=127.0.0.1:${database}",
]
upstream_ca = ["${authority}"]
`;

/** Everything that the tour needs, in one directory that goes away with it. */
export class World implements AsyncDisposable {
  readonly directory: string;
  /** Where the commands are typed. */
  readonly work: string;
  readonly policy: string;
  readonly configuration: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #servers: readonly Server[];

  private constructor(
    directory: string,
    servers: readonly Server[],
    ports: Ports,
    authority: string,
    secrets: Readonly<Record<'API_TOKEN' | 'MODEL_KEY', string>>,
  ) {
    this.directory = directory;
    this.work = join(directory, 'work');
    this.#servers = servers;
    this.policy = policyText(process.execPath);
    this.configuration = configurationText(ports, authority);
    const { TERM = 'dumb', LANG = 'C.UTF-8', XDG_CACHE_HOME, HOME } = process.env;
    this.environment = {
      PATH: `${OPENSHELL_BIN}:${dirname(process.execPath)}:${SYSTEM_PATH}`,
      HOME,
      XDG_CONFIG_HOME: join(directory, 'config'),
      TERM,
      LANG,
      NO_COLOR: '1',
      ...secrets,
      ...(XDG_CACHE_HOME ? { XDG_CACHE_HOME } : {}),
    };
  }

  /** Makes the directory, starts the servers, writes the policy and the operator's configuration. */
  static async create(): Promise<World> {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'openshell-tour-')));
    try {
      for (const name of ['work', 'site', 'config/openshell', 'home'])
        mkdirSync(join(directory, name), { recursive: true });
      const authority = makeAuthority('OpenShell tour');
      const identity = makeServerIdentity(['origin.test', 'api.test', 'models.test'], authority);
      const authorityFile = join(directory, 'ca.pem');
      writeFileSync(authorityFile, authority.certificate);
      writeFileSync(join(directory, 'home/token'), 'a secret of the user\n', { mode: 0o644 });
      const https = createHttpsOrigin({ identity, directory: join(directory, 'site') });
      const secrets = {
        API_TOKEN: randomBytes(16).toString('hex'),
        MODEL_KEY: randomBytes(16).toString('hex'),
      };
      const api = createApiOrigin({ identity, token: secrets.API_TOKEN, modelKey: secrets.MODEL_KEY });
      const database = createDatabaseOrigin();
      const ports = {
        https: await listening(https),
        api: await listening(api),
        database: await listening(database),
      };
      const world = new World(directory, [https, api, database], ports, authorityFile, secrets);
      writeFileSync(join(world.work, 'policy.yaml'), world.policy);
      writeFileSync(join(world.work, 'routes.yaml'), ROUTES);
      writeFileSync(join(directory, 'config/openshell/config.toml'), world.configuration);
      if (world.has('git')) await world.#makeRepository();
      return world;
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  has(program: string): boolean {
    return program === 'node' || findProgram(program) !== undefined;
  }

  /** A repository that plain file serving makes cloneable. */
  async #makeRepository(): Promise<void> {
    const tree = join(this.directory, 'tree');
    const env = { ...this.environment, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const git = (...args: string[]): Promise<unknown> =>
      run('git', ['-C', tree, '-c', 'user.name=Tour', '-c', 'user.email=tour@origin.test', ...args], { env });
    mkdirSync(tree);
    writeFileSync(join(tree, 'README'), 'Cloned through the sandbox.\n');
    await git('init', '--quiet');
    await git('add', 'README');
    await git('commit', '--quiet', '--no-gpg-sign', '--message', 'First');
    await git('clone', '--quiet', '--bare', tree, join(this.directory, 'site/apples.git'));
    await run('git', ['-C', join(this.directory, 'site/apples.git'), 'update-server-info'], { env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(this.directory, { recursive: true, force: true });
  }
}
