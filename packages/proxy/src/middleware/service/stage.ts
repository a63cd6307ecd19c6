import type { JsonObject } from '@bufbuild/protobuf';
import { OpenShellError } from '@openshell/base';
import type { Middleware } from '@openshell/policy';
import type { Limits } from '../../limits.ts';
import { StageFault } from '../fault.ts';
import type { Stage, StageAnswer, StageNeeds, StageRequest } from '../stage.ts';
import { readAnswer } from './answer.ts';
import type { MiddlewareClient, ServiceConnection } from './connection.ts';

/** A stage that is somebody else's program. */
export class ServiceStage implements Stage {
  readonly #middleware: Middleware;
  readonly #config: JsonObject;
  readonly #service: ServiceConnection;
  readonly #limits: Limits;
  #needs: StageNeeds | undefined;
  #introduction: Promise<void> | undefined;

  /**
   * Asks the service what it needs and whether it takes the configuration. Where it does not answer, that is asked again with
   * the next request.
   * @throws OpenShellError `bad_middleware_config` when it refuses the configuration.
   */
  static async create(
    middleware: Middleware,
    service: ServiceConnection,
    limits: Limits,
  ): Promise<ServiceStage> {
    const stage = new ServiceStage(middleware, service, limits);
    try {
      await stage.#introduced(limits.middlewareConnectTime);
    } catch (thrown) {
      // Not there now: each request asks again, and `on_error` decides until it answers.
      if (thrown instanceof OpenShellError) throw thrown;
    }
    return stage;
  }

  private constructor(middleware: Middleware, service: ServiceConnection, limits: Limits) {
    const config = JSON.stringify(middleware.config);
    if (Buffer.byteLength(config) > limits.middlewareConfigBytes)
      throw badConfig(middleware, `it is larger than ${limits.middlewareConfigBytes} bytes`);
    this.#middleware = middleware;
    this.#config = JSON.parse(config) as JsonObject;
    this.#service = service;
    this.#limits = limits;
  }

  /** Until the service has said what it needs, it gets all there is. */
  get needs(): StageNeeds {
    return this.#needs ?? { requestBody: true, maxBodyBytes: this.#limits.middlewareBodyBytes };
  }

  async evaluate(request: StageRequest, signal: AbortSignal): Promise<StageAnswer> {
    const { timeoutMs } = this.#service;
    try {
      await this.#introduced(timeoutMs);
      const client = await this.#service.client();
      const response = await client.evaluateHttpRequest(this.#message(request), { signal, timeoutMs });
      return readAnswer(response, this.#limits);
    } catch (thrown) {
      if (thrown instanceof StageFault) throw thrown;
      if (thrown instanceof OpenShellError) throw new StageFault('it refuses its configuration', 503, thrown);
      throw new StageFault(
        `its service gave no answer that could be used within ${timeoutMs} ms`,
        503,
        thrown,
      );
    }
  }

  #message(request: StageRequest) {
    const { method, scheme, host, port, target, fields, body, sandbox, binary } = request;
    return {
      context: { sandbox, binary, middleware: this.#middleware.key },
      config: this.#config,
      ...{ method, scheme, host, port, target },
      fields: fields.map(({ lowerName, value }) => ({ name: lowerName, value })),
      ...(body !== undefined && this.needs.requestBody && { body }),
    };
  }

  /** Once it has succeeded it is over; until then there is one attempt at a time. */
  #introduced(timeoutMs: number): Promise<void> {
    if (this.#needs !== undefined) return Promise.resolve();
    this.#introduction ??= this.#introduce(timeoutMs).finally(() => {
      this.#introduction = undefined;
    });
    return this.#introduction;
  }

  async #introduce(timeoutMs: number): Promise<void> {
    const client = await this.#service.client();
    const { wantsRequestBody, maxBodyBytes } = await client.describe({}, { timeoutMs });
    await this.#checkConfig(client, timeoutMs);
    const most = this.#limits.middlewareBodyBytes;
    this.#needs = {
      requestBody: wantsRequestBody,
      maxBodyBytes: maxBodyBytes === 0 ? most : Math.min(maxBodyBytes, most),
    };
  }

  async #checkConfig(client: MiddlewareClient, timeoutMs: number): Promise<void> {
    const { problems } = await client.validateConfig({ config: this.#config }, { timeoutMs });
    if (problems.length === 0) return;
    const first = problems[0]!.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').slice(0, 256);
    throw badConfig(this.#middleware, first);
  }
}

const badConfig = ({ key, middleware }: Middleware, why: string): OpenShellError =>
  new OpenShellError(`network_middlewares.${key}.config: ${middleware} refuses it: ${why}`, {
    code: 'bad_middleware_config',
    remedy: 'Correct the configuration.',
  });
