import type { Endpoint, Policy, PolicyEngine } from '@openshell/policy';
import type { SourcePool } from '../credentials/source-pool.ts';
import type { CredentialSpec } from '../credentials/spec.ts';
import type { CredentialStore } from '../credentials/store.ts';
import type { RouteTable } from '../inference/route-table.ts';
import type { InferenceRoute } from '../inference/routes.ts';
import { type Limits, limitsWith } from '../limits.ts';
import type { MiddlewareRegistry, PreparedMiddlewares } from '../middleware/registry.ts';
import type { MiddlewareService } from '../middleware/service/connection.ts';
import { steadyClock } from '../steady-clock.ts';
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
  /** What variables stand for. That of whoever started the program, where absent. */
  readonly environment?: GenerationsOptions['environment'] | undefined;
}

export interface Generation {
  readonly settings: TenantSettings;
  /** The placeholders by variable: what the workload's environment has in the place of credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** For a person. */
  readonly notices: readonly string[];
}

/** What was thrown about one of the things that a generation is made of. */
export interface GenerationFault {
  readonly part: 'credentials' | 'middlewares' | 'routes';
  readonly thrown: unknown;
}

/** A generation that could be put in force, or all that is wrong with it. */
export type Prepared =
  | {
      readonly ok: true;
      readonly generation: Generation;
      /** It is in force: what only the last one used is let go. */
      readonly commit: () => void;
      /** It does not come into force: what only it would have used is let go. */
      readonly discard: () => void;
    }
  | { readonly ok: false; readonly faults: readonly GenerationFault[] };

/** What the sources of one generation are. */
interface Sourced {
  readonly environment: GenerationsOptions['environment'];
  readonly specs: Parameters<SourcePool['keepOnly']>[0];
}

/**
 * Makes the generations of one tenant, one after the other. What outlives a generation is here: tokens that were got, connections to
 * middlewares. The parts that a policy does not use are not even loaded.
 */
export class Generations implements AsyncDisposable {
  readonly #options: GenerationsOptions;
  readonly #limits: Limits;
  /** Of the generation in force. */
  #kept: Sourced;
  #pool: Promise<SourcePool> | undefined;
  #registry: Promise<MiddlewareRegistry> | undefined;

  constructor(options: GenerationsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? limitsWith();
    this.#kept = { environment: options.environment, specs: [] };
  }

  /**
   * Makes the next generation, and takes it for in force. Throws what is wrong with a credential (`credentials_invalid`,
   * `credential_unavailable`), a route (`bad_inference_route`) or a middleware (`unknown_middleware`, `bad_middleware_config`,
   * `bad_middleware_service`); the last one stays then.
   */
  async make(parts: GenerationParts): Promise<Generation> {
    const prepared = await this.prepare(parts);
    if (!prepared.ok) throw prepared.faults[0]!.thrown;
    prepared.commit();
    return prepared.generation;
  }

  /** Makes a generation that is not in force yet. Either `commit` or `discard` follows. */
  async prepare(parts: GenerationParts): Promise<Prepared> {
    const { policy, engine, grants, environment = this.#options.environment } = parts;
    const [store, middleware, inference] = await Promise.allSettled([
      this.#credentials(parts, environment),
      this.#middleware(policy),
      this.#inference(grants.routes, environment),
    ]);
    if (store.status === 'rejected' || middleware.status === 'rejected' || inference.status === 'rejected') {
      await this.#keepOnly(this.#kept);
      return {
        ok: false,
        faults: [
          ...faultOf('credentials', store),
          ...faultOf('middlewares', middleware),
          ...faultOf('routes', inference),
        ],
      };
    }
    const pool = await this.#pool;
    const next = { environment, specs: sourcesOf(grants) };
    return {
      ok: true,
      generation: {
        settings: {
          engine,
          credentials: store.value?.store ?? NO_CREDENTIALS,
          middleware: middleware.value,
          inference: inference.value,
        },
        environment: store.value?.store.environment() ?? {},
        notices: store.value?.notices ?? [],
      },
      commit: () => {
        this.#kept = next;
        pool?.within(next.environment).keepOnly(next.specs);
      },
      discard: () => pool?.within(this.#kept.environment).keepOnly(this.#kept.specs),
    };
  }

  /** Closes the connections to middlewares. */
  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not be made has been reported by whoever wanted it.
    (await this.#registry?.catch(() => undefined))?.[Symbol.dispose]();
  }

  async #keepOnly({ environment, specs }: Sourced): Promise<void> {
    (await this.#pool)?.within(environment).keepOnly(specs);
  }

  async #credentials(
    { policy, grants: { credentials, offered = [] }, unbound }: GenerationParts,
    environment: Sourced['environment'],
  ): Promise<{ readonly store: CredentialStore; readonly notices: readonly string[] } | undefined> {
    const specs = [...credentials, ...offered.filter((spec) => isBound(spec, policy))];
    // Endpoints that sign refuse what they have no keys for: that too is the store's to say.
    if (specs.length === 0 && !signs(policy)) return undefined;
    const [{ CredentialStore }, pool] = await Promise.all([
      import('../credentials/store.ts'),
      this.#sources(),
    ]);
    const store = new CredentialStore(specs, {
      policy,
      pool: pool.within(environment),
      unbound,
      now: Date.now,
    });
    return { store, notices: [...store.notices, ...(await store.prepare())] };
  }

  async #middleware({ middlewares }: Policy): Promise<PreparedMiddlewares | undefined> {
    if (middlewares.length === 0) return undefined;
    this.#registry ??= this.#makeRegistry();
    // What could not be loaded is tried again with the next generation.
    this.#registry.catch(() => {
      this.#registry = undefined;
    });
    return (await this.#registry).prepare(middlewares);
  }

  async #inference(
    routes: readonly InferenceRoute[],
    environment: Sourced['environment'],
  ): Promise<RouteTable | undefined> {
    if (routes.length === 0) return undefined;
    const [{ RouteTable }, pool] = await Promise.all([
      import('../inference/route-table.ts'),
      this.#sources(),
    ]);
    return new RouteTable(routes, pool.within(environment), this.#limits);
  }

  #sources(): Promise<SourcePool> {
    this.#pool ??= this.#makePool();
    this.#pool.catch(() => {
      this.#pool = undefined;
    });
    return this.#pool;
  }

  async #makeRegistry(): Promise<MiddlewareRegistry> {
    const { MiddlewareRegistry } = await import('../middleware/registry.ts');
    return new MiddlewareRegistry({ services: this.#options.middlewares ?? [], limits: this.#limits });
  }

  async #makePool(): Promise<SourcePool> {
    const [{ SourcePool }, { directTransport }] = await Promise.all([
      import('../credentials/source-pool.ts'),
      import('../credentials/token-transport.ts'),
    ]);
    return new SourcePool({
      environment: this.#options.environment,
      transport: directTransport((host) => this.#options.trust.contextFor(host)),
      now: steadyClock(),
    });
  }
}

const endpointsOf = (policy: Policy): readonly Endpoint[] =>
  policy.networkPolicies.flatMap(({ endpoints }) => endpoints);

const isBound = ({ name, provider = name, bindings }: CredentialSpec, policy: Policy): boolean =>
  bindings.length > 0 ||
  endpointsOf(policy).some(({ credentialProvider }) => credentialProvider === provider);

const signs = (policy: Policy): boolean => endpointsOf(policy).some(({ signing }) => signing !== undefined);

const faultOf = (
  part: GenerationFault['part'],
  result: PromiseSettledResult<unknown>,
): readonly GenerationFault[] => (result.status === 'rejected' ? [{ part, thrown: result.reason }] : []);

const sourcesOf = ({ credentials, offered = [], routes }: Grants): Sourced['specs'] => [
  ...credentials,
  ...offered,
  ...routes.flatMap(keyOf),
];

/** As the table of routes names the sources of its keys. */
const keyOf = ({ name, auth }: InferenceRoute) =>
  auth.kind === 'none' ? [] : [{ name: `inference route ${name}`, source: auth.credential }];
