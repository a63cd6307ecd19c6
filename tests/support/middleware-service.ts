import { promisify } from 'node:util';
import { Server, ServerCredentials, type ServiceDefinition, type sendUnaryData } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ROOT } from './paths.ts';

const { 'openshell.middleware.v1.SupervisorMiddleware': definition } = loadSync(
  `${ROOT}/proto/openshell/middleware/v1/middleware.proto`,
  { keepCase: true, oneofs: true },
);

/** A request as the proxy asks about it. */
export interface AskedRequest {
  readonly context: { readonly sandbox: string; readonly binary: string; readonly middleware: string };
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  readonly body?: Buffer;
}

/** Decides about one request, in the words of the .proto file. Undefined: no answer ever comes. */
export type Judgement = (request: AskedRequest) => object | undefined;

interface Call<Request> {
  readonly request: Request;
}

/** A middleware of somebody's own, by an implementation of gRPC that is not the proxy's, on a port of 127.0.0.1. */
export class MiddlewareService implements AsyncDisposable {
  /** In the order in which they came. */
  readonly asked: AskedRequest[] = [];
  readonly #server = new Server();
  readonly #problems: readonly string[];
  #port = 0;

  private constructor(judge: Judgement, problems: readonly string[]) {
    this.#problems = problems;
    this.#server.addService(definition as ServiceDefinition, {
      Describe: (_: Call<object>, answer: sendUnaryData<object>) =>
        answer(null, { name: 'test', wants_request_body: true }),
      ValidateConfig: (_: Call<object>, answer: sendUnaryData<object>) =>
        answer(null, { problems: this.#problems }),
      EvaluateHttpRequest: ({ request }: Call<AskedRequest>, answer: sendUnaryData<object>) => {
        this.asked.push(request);
        const decision = judge(request);
        if (decision !== undefined) answer(null, decision);
      },
    });
  }

  /** @param problems What it says about any configuration. */
  static async start(judge: Judgement, problems: readonly string[] = []): Promise<MiddlewareService> {
    const service = new MiddlewareService(judge, problems);
    const bind = promisify(service.#server.bindAsync.bind(service.#server));
    service.#port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}
