import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { compile } from '../support/compile.ts';
import { type OpenShellOptions, type Outcome, openshell } from '../support/openshell.ts';
import { greetingOrigin, httpOrigin, httpsOrigin, type Origin } from '../support/origin.ts';
import { ROOT } from '../support/paths.ts';
import { type TestPolicy, writePolicy } from '../support/policy.ts';
import { Scratch } from '../support/scratch.ts';

/** Origins on this machine's loopback, which `--resolve` makes reachable as `origin.test`, and a program that knows no proxy. */
export class Network implements AsyncDisposable {
  readonly scratch: Scratch;
  readonly https: Origin;
  readonly http: Origin;
  readonly greeting: Origin;
  readonly #certificates: Certificates;
  #policies = 0;

  private constructor(
    scratch: Scratch,
    certificates: Certificates,
    origins: readonly [Origin, Origin, Origin],
  ) {
    this.scratch = scratch;
    this.#certificates = certificates;
    [this.https, this.http, this.greeting] = origins;
  }

  static async start(): Promise<Network> {
    const scratch = new Scratch();
    const [certificates] = await Promise.all([
      makeCertificates(scratch, ['origin.test', 'other.test']),
      compile({ sources: [`${ROOT}/tests/support/programs/dial.c`], output: scratch.join('dial') }),
    ]);
    const origins = await Promise.all([httpsOrigin(certificates), httpOrigin(), greetingOrigin()]);
    return new Network(scratch, certificates, origins);
  }

  /** The static client, where a sandbox that works in the scratch directory sees it. */
  get dial(): string {
    return this.scratch.join('dial');
  }

  /** Endpoints for all three origins. */
  get endpoints(): { host: string; port: number }[] {
    return [this.https, this.http, this.greeting].map(({ port }) => ({ host: 'origin.test', port }));
  }

  policy(policy: TestPolicy): string {
    this.#policies += 1;
    return writePolicy(this.scratch.join(`policy-${this.#policies}.json`), policy);
  }

  /** What the operator says about the names. */
  get operator(): string[] {
    const { authorityFile } = this.#certificates;
    return [
      '--resolve',
      'origin.test=127.0.0.1',
      '--resolve',
      'other.test=127.0.0.1',
      '--upstream-ca',
      authorityFile,
    ];
  }

  /** Runs a command in the scratch directory under a policy; by default, all origins for the given binaries. */
  run(
    command: readonly string[],
    { policy, options = [], ...rest }: { policy: TestPolicy; options?: readonly string[] } & OpenShellOptions,
  ): Promise<Outcome> {
    const file = this.policy({ endpoints: this.endpoints, ...policy });
    return openshell(['run', '--policy', file, ...this.operator, ...options, '--', ...command], {
      cwd: this.scratch.path,
      ...rest,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.https, this.http, this.greeting].map((origin) => origin[Symbol.asyncDispose]()));
    this.scratch[Symbol.dispose]();
  }
}

/** The words that make a program forget the proxy. */
export const WITHOUT_PROXY = [
  'env',
  ...[
    'HTTPS_PROXY',
    'https_proxy',
    'HTTP_PROXY',
    'http_proxy',
    'ALL_PROXY',
    'all_proxy',
    'NODE_USE_ENV_PROXY',
  ].flatMap((name) => ['-u', name]),
];
