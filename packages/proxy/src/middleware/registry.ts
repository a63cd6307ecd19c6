import { OpenShellError } from '@openshell/base';
import type { Middleware } from '@openshell/policy';
import type { Limits } from '../limits.ts';
import { Admission } from './admission.ts';
import { type ConfiguredStage, MiddlewareStages } from './chain.ts';
import { REGEX_NAME, RegexStage } from './regex/stage.ts';
import { type MiddlewareService, ServiceConnection } from './service/connection.ts';
import { ServiceStage } from './service/stage.ts';
import type { Stage } from './stage.ts';

export interface RegistryOptions {
  /** What the operator has registered. Policies refer to it by name. */
  readonly services: readonly MiddlewareService[];
  readonly limits: Limits;
}

/** The implementations of one tenant, and the bounds that all its chains share. Outlives generations. */
export class MiddlewareRegistry implements Disposable {
  readonly #services: ReadonlyMap<string, ServiceConnection>;
  readonly #limits: Limits;
  readonly #admission: Admission;

  /** @throws OpenShellError `bad_middleware_service` */
  constructor({ services, limits }: RegistryOptions) {
    this.#limits = limits;
    this.#services = new Map(services.map((one) => [one.name, new ServiceConnection(one, limits)]));
    this.#admission = new Admission({
      running: limits.middlewareRunning,
      waiting: limits.middlewareWaiting,
    });
  }

  /**
   * Makes the stages of a generation. A service that cannot be reached now is no error: its stages fail, as `on_error` says, until it
   * can be.
   * @throws OpenShellError `unknown_middleware`, `bad_middleware_config`
   */
  async prepare(middlewares: readonly Middleware[]): Promise<PreparedMiddlewares> {
    const stages = await Promise.all(
      middlewares.map(async (middleware) => ({ middleware, stage: await this.#stage(middleware) })),
    );
    return new PreparedMiddlewares(stages, this.#limits, this.#admission);
  }

  /** Closes the connections to services. */
  [Symbol.dispose](): void {
    for (const service of this.#services.values()) service[Symbol.dispose]();
  }

  #stage(middleware: Middleware): Stage | Promise<Stage> {
    if (middleware.middleware === REGEX_NAME) return new RegexStage(middleware, this.#limits);
    const service = this.#services.get(middleware.middleware);
    if (service) return ServiceStage.create(middleware, service, this.#limits);
    const known = [REGEX_NAME, ...this.#services.keys()].map((name) => `"${name}"`).join(', ');
    throw new OpenShellError(
      `network_middlewares.${middleware.key}: no middleware "${middleware.middleware}" is registered`,
      { code: 'unknown_middleware', remedy: `Known are ${known}; others are registered by the operator.` },
    );
  }
}

/** The stages of one generation. */
export class PreparedMiddlewares {
  readonly #stages: ReadonlyMap<string, ConfiguredStage>;
  readonly #limits: Limits;
  readonly #admission: Admission;
  readonly #chains = new WeakMap<readonly Middleware[], MiddlewareStages>();

  constructor(stages: readonly ConfiguredStage[], limits: Limits, admission: Admission) {
    this.#stages = new Map(stages.map((one) => [one.middleware.key, one]));
    this.#limits = limits;
    this.#admission = admission;
  }

  /** The chain of an inspection's `middlewares`, which are of the same generation. Undefined: there is none to pass. */
  stagesFor(selected: readonly Middleware[]): MiddlewareStages | undefined {
    if (selected.length === 0) return undefined;
    let chain = this.#chains.get(selected);
    if (chain === undefined) {
      // A key without a stage would let requests past a stage that they must pass.
      const stages = selected.map(({ key }) => this.#stages.get(key)!);
      if (stages.includes(undefined as never)) throw new RangeError('middlewares of another generation');
      chain = new MiddlewareStages({ stages, limits: this.#limits, admission: this.#admission });
      this.#chains.set(selected, chain);
    }
    return chain;
  }
}
