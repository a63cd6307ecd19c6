import type { Endpoint, Policy, PolicyEngine } from '@openshell/policy';
import type { SourcePool } from '../credentials/source-pool.ts';
import type { CredentialSpec } from '../credentials/spec.ts';
import type { CredentialStore } from '../credentials/store.ts';
import type { RouteTable } from '../inference/route-table.ts';
import type { InferenceRoute } from '../inference/routes.ts';
import { type Limits, limitsWith } from '../limits.ts';
import type { MiddlewareRegistry, PreparedMiddlewares } from '../middleware/registry.ts';
import type { MiddlewareService } from '../middleware/service/connection.ts';
import { NO_CREDENTIALS, type TenantSettings } from '../tenant/settings.ts';
import type { UpstreamTrust } from '../tls/trust.ts';

/** What a sandbox is given beside its policy: plain data, without the value of any secret. */
export interface Grants {
  /** Each must be bound to something: what is asked for and can go nowhere is a mistake. */
  readonly credentials: readonly CredentialSpec[];
  /** What is there for whoever's policy binds it; the others do without. */
  readonly offered?: readonly CredentialSpec[];
  readonly routes: readonly InferenceRoute[];
}

export interface GenerationsOptions {
  /** Of whoever started the program: where values of credentials may be. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whom to believe to be the issuer of tokens. They are asked for directly, also where there is a proxy. */
  readonly trust: UpstreamTrust;
  /** What the operator has registered for policies to name. */
  readonly middlewares?: readonly MiddlewareService[];
  readonly limits?: Limits;
}

export interface GenerationParts {
  readonly policy: Policy;
  readonly engine: PolicyEngine;
  readonly grants: Grants;
  /** Whether a credential that nothing binds is refused, as at a start, or only noticed, as when a policy changed under it. */
  readonly unbound: 'error' | 'notice';
}

export interface Generation {
  readonly settings: TenantSettings;
  /** The placeholders by variable: what the workload's environment has in the place of credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** For a person. */
  readonly notices: readonly string[];
}

/**
 * Makes the generations of one tenant. What outlives a generation is here: tokens that were got, connections to middlewares.
 * The parts that a policy does not use are not even loaded.
 */
export class Generations implements AsyncDisposable {
  readonly #options: GenerationsOptions;
  readonly #limits: Limits;
  #pool: Promise<SourcePool> | undefined;
  #registry: Promise<MiddlewareRegistry> | undefined;

  constructor(options: GenerationsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? limitsWith();
  }

  /**
   * Throws what is wrong with a credential (`credentials_invalid`, `credential_unavailable`), a route (`bad_inference_route`) or a
   * middleware (`unknown_middleware`, `bad_middleware_config`, `bad_middleware_service`); nothing is in force then.
   */
  async make({ policy, engine, grants, unbound }: GenerationParts): Promise<Generation> {
    const [store, middleware, inference] = await Promise.all([
      this.#credentials(policy, grants, unbound),
      this.#middleware(policy),
      this.#inference(grants.routes),
    ]);
    const notices = [...(store?.notices ?? []), ...((await store?.prepare()) ?? [])];
    // Only now, because a generation that is refused must leave what the last one uses.
    (await this.#pool)?.keepOnly([
      ...grants.credentials,
      ...(grants.offered ?? []),
      ...grants.routes.flatMap(keyOf),
    ]);
    return {
      settings: { engine, credentials: store ?? NO_CREDENTIALS, middleware, inference },
      environment: store?.environment() ?? {},
      notices,
    };
  }

  /** Closes the connections to middlewares. */
  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not be made has been reported by whoever wanted it.
    (await this.#registry?.catch(() => undefined))?.[Symbol.dispose]();
  }

  async #credentials(
    policy: Policy,
    { credentials, offered = [] }: Grants,
    unbound: GenerationParts['unbound'],
  ): Promise<CredentialStore | undefined> {
    const specs = [...credentials, ...offered.filter((spec) => isBound(spec, policy))];
    // Endpoints that sign refuse what they have no keys for: that too is the store's to say.
    if (specs.length === 0 && !signs(policy)) return undefined;
    const [{ CredentialStore }, pool] = await Promise.all([
      import('../credentials/store.ts'),
      this.#sources(),
    ]);
    return new CredentialStore(specs, { policy, pool, unbound, now: Date.now });
  }

  async #middleware({ middlewares }: Policy): Promise<PreparedMiddlewares | undefined> {
    if (middlewares.length === 0) return undefined;
    this.#registry ??= import('../middleware/registry.ts').then(
      ({ MiddlewareRegistry }) =>
        new MiddlewareRegistry({ services: this.#options.middlewares ?? [], limits: this.#limits }),
    );
    return (await this.#registry).prepare(middlewares);
  }

  async #inference(routes: readonly InferenceRoute[]): Promise<RouteTable | undefined> {
    if (routes.length === 0) return undefined;
    const [{ RouteTable }, pool] = await Promise.all([
      import('../inference/route-table.ts'),
      this.#sources(),
    ]);
    return new RouteTable(routes, pool, this.#limits);
  }

  #sources(): Promise<SourcePool> {
    this.#pool ??= this.#makePool();
    return this.#pool;
  }

  async #makePool(): Promise<SourcePool> {
    const [{ SourcePool }, { directTransport }] = await Promise.all([
      import('../credentials/source-pool.ts'),
      import('../credentials/token-transport.ts'),
    ]);
    return new SourcePool({
      environment: this.#options.environment,
      transport: directTransport((host) => this.#options.trust.contextFor(host)),
      now: Date.now,
    });
  }
}

const endpointsOf = (policy: Policy): readonly Endpoint[] =>
  policy.networkPolicies.flatMap(({ endpoints }) => endpoints);

const isBound = ({ name, provider = name, bindings }: CredentialSpec, policy: Policy): boolean =>
  bindings.length > 0 ||
  endpointsOf(policy).some(({ credentialProvider }) => credentialProvider === provider);

const signs = (policy: Policy): boolean => endpointsOf(policy).some(({ signing }) => signing !== undefined);

/** As the table of routes names the sources of its keys. */
const keyOf = ({ name, auth }: InferenceRoute) =>
  auth.kind === 'none' ? [] : [{ name: `inference route ${name}`, source: auth.credential }];
