import { readFileSync, writeFileSync } from 'node:fs';
import { Postgres, postgresPrograms } from '../../../packages/proxy/src/sql/test-support/postgres.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { type Outcome, openshell } from '../../support/openshell.ts';
import { Origin } from '../../support/origin.ts';
import { NODE_DIRECTORY, ROOT, systemProgram } from '../../support/paths.ts';
import { writePolicy } from '../../support/policy.ts';
import { Scratch } from '../../support/scratch.ts';
import { bucketSite } from './origins/bucket.ts';
import { FruitShop } from './origins/fruit-shop.ts';
import { gitSite } from './origins/git.ts';
import { modelsSite } from './origins/models.ts';
import { indexSite, npmSite } from './origins/packages.ts';
import { Seen } from './origins/seen.ts';
import { toolsSite } from './origins/tools.ts';
import { type Sites, sitesServer, webServer } from './origins/web.ts';
import { addWebSocket } from './origins/web-socket.ts';
import { ENDPOINTS } from './policy.ts';

/** Names of the HTTP/1.1 server. */
const SITES = ['git.test', 'npm.test', 'pip.test', 'ws.test', 'mcp.test', 's3.test', 'models.test'];

export interface ClientRun {
  readonly options?: readonly string[];
  /** Of the one who runs openshell. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ClientOutcome extends Outcome {
  /** The HTTP events of the run: `GET web.test/open 200`. */
  readonly requests: readonly string[];
  /** All events, as they were written. */
  readonly events: string;
}

interface HttpEvent {
  readonly class_uid: number;
  readonly http_request: { readonly http_method: string; readonly url: { hostname: string; path: string } };
  readonly http_response?: { readonly code: number };
}

const HTTP_ACTIVITY = 4002;

/** Exit code of openshell where it could not start the command. */
const NOT_STARTED = 125;

const requestsOf = (events: string): string[] =>
  events
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as HttpEvent)
    .filter(({ class_uid }) => class_uid === HTTP_ACTIVITY)
    .map(({ http_request: { http_method: method, url }, http_response: response }) =>
      [method, `${url.hostname}${url.path}`, response?.code].join(' '),
    );

/** Whether the origins that need a program of the system can be there. */
const has = (program: string): boolean => systemProgram(program) !== undefined;

/** Servers of each kind on this machine, and `openshell run` with the policy for them. */
export class ClientWorld implements AsyncDisposable {
  readonly scratch: Scratch;
  readonly seen: Seen;
  readonly #stack: AsyncDisposableStack;
  readonly #operator: readonly string[];
  readonly #policy: string;
  #runs = 0;

  private constructor(
    scratch: Scratch,
    seen: Seen,
    stack: AsyncDisposableStack,
    operator: readonly string[],
  ) {
    this.scratch = scratch;
    this.seen = seen;
    this.#stack = stack;
    this.#operator = operator;
    this.#policy = writePolicy(scratch.join('policy.json'), {
      endpoints: ENDPOINTS,
      // Who may ask is tested elsewhere; here it is what.
      binaries: ['/**'],
      readOnly: [
        NODE_DIRECTORY,
        ...['node_modules', 'package.json', 'tests/e2e/clients/programs'].map((name) => `${ROOT}/${name}`),
      ],
    });
  }

  /** With a PostgreSQL server where one is asked for and installed: it takes a second or two. */
  static async start({ database: wanted = false } = {}): Promise<ClientWorld> {
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(new Scratch());
    const seen = new Seen();
    const certificates = await makeCertificates(scratch, ['web.test', 'grpc.test', ...SITES]);
    const web = stack.use(await Origin.listen(webServer(certificates, seen)));
    const sites = stack.use(await startSites(scratch, certificates, seen));
    const grpc = stack.use(await FruitShop.start(certificates, seen));
    const postgres = wanted ? postgresPrograms() : undefined;
    const database = postgres && stack.use(await Postgres.start(postgres, 'database.test'));
    const addresses = [
      ['web.test:443', web.port],
      ...SITES.map((name) => [`${name}:443`, sites.port]),
      ['grpc.test:443', grpc.port],
      ...(database ? [['database.test:5432', database.port]] : []),
    ];
    const operator = [
      ...addresses.flatMap(([name, port]) => ['--resolve', `${name}=127.0.0.1:${port}`]),
      ...['--upstream-ca', certificates.authorityFile],
      ...(database ? ['--upstream-ca', database.certificates.authorityFile] : []),
    ];
    return new ClientWorld(scratch, seen, stack.move(), operator);
  }

  /** A file in the directory where commands run; returns its path. */
  write(name: string, text: string): string {
    const path = this.scratch.join(name);
    writeFileSync(path, text);
    return path;
  }

  async run(command: readonly string[], { options = [], env = {} }: ClientRun = {}): Promise<ClientOutcome> {
    this.#runs += 1;
    const file = this.scratch.join(`events-${this.#runs}.jsonl`);
    const outcome = await openshell(
      ['run', '--policy', this.#policy, ...this.#operator, '--events', file, ...options, '--', ...command],
      { cwd: this.scratch.path, env },
    );
    if (outcome.code === NOT_STARTED) throw new Error(outcome.stderr);
    const events = readFileSync(file, 'utf8');
    return { ...outcome, events, requests: requestsOf(events) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const startSites = async (scratch: Scratch, certificates: Certificates, seen: Seen): Promise<Origin> => {
  const sites: Sites = {
    'mcp.test': toolsSite(seen),
    's3.test': bucketSite(),
    'models.test': modelsSite(),
    ...(has('git') && { 'git.test': await gitSite(scratch) }),
    ...(has('npm') && { 'npm.test': await npmSite(scratch) }),
    ...(has('pip3') && { 'pip.test': await indexSite(scratch) }),
  };
  const server = sitesServer(certificates, seen, sites);
  addWebSocket(server, seen);
  return Origin.listen(server);
};

/** A program of `programs/`, by the pinned Node.js. */
export const program = (name: string, ...args: string[]): string[] => [
  process.execPath,
  `${ROOT}/tests/e2e/clients/programs/${name}.ts`,
  ...args,
];
