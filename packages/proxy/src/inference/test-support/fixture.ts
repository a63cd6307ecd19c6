import { once } from 'node:events';
import {
  createServer as createHttp,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { Evidence } from '@openshell/policy';
import { SourcePool } from '../../credentials/source-pool.ts';
import { Http1Downstream } from '../../http1/downstream.ts';
import { IdleClock } from '../../http1/idle-clock.ts';
import { Http1Upstream } from '../../http1/upstream.ts';
import { type Limits, limitsWith } from '../../limits.ts';
import { ByteBudget } from '../../tenant/byte-budget.ts';
import { loadTrust } from '../../tls/trust.ts';
import { UpstreamPool } from '../../upstream/pool.ts';
import type { InferenceRecord } from '../record.ts';
import { RouteTable } from '../route-table.ts';
import type { InferenceRoute } from '../routes.ts';
import { InferenceService } from '../service.ts';

const LOOPBACK = '127.0.0.1';

/** The key that no response may show. */
export const KEY = 'sk-operators-own-key-0123456789';

/** What a backend was sent. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Respond = (response: ServerResponse, sent: Sent) => void;

export interface FixtureOptions {
  readonly respond: Respond;
  /** Changes of the one route. */
  readonly route?: Partial<InferenceRoute>;
  /** In place of the one route; `url` is the backend's. */
  readonly routes?: (url: string) => readonly InferenceRoute[];
  readonly limits?: Partial<Limits>;
  readonly caller?: Evidence;
}

export const ALL: InferenceRoute['protocols'] = [
  'openai_chat_completions',
  'openai_completions',
  'openai_responses',
  'openai_embeddings',
  'anthropic_messages',
];

const CALLER: Evidence = {
  kind: 'process',
  pid: 7,
  executable: { path: '/usr/bin/node', sha256: 'ab'.repeat(32), pinned: true },
  ancestors: [],
  argv: ['node'],
};

/** inference.local over plain HTTP/1.1 with one backend, all on real sockets. */
export class InferenceFixture implements AsyncDisposable {
  readonly sent: Sent[] = [];
  readonly records: InferenceRecord[] = [];
  readonly url: string;
  readonly #front: Server;
  readonly #backend: HttpServer;
  readonly #pool: UpstreamPool;
  readonly #sockets: Set<Socket>;
  readonly #waiting: ((record: InferenceRecord) => void)[] = [];

  static async start(options: FixtureOptions): Promise<InferenceFixture> {
    const sent: Sent[] = [];
    const backend = createHttp((request, response) => void receive(request, response, options.respond, sent));
    const front = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    for (const server of [backend, front]) await once(server.listen(0, LOOPBACK), 'listening');
    return new InferenceFixture(options, front, backend, sent);
  }

  private constructor(options: FixtureOptions, front: Server, backend: HttpServer, sent: Sent[]) {
    this.#front = front;
    this.#backend = backend;
    this.sent = sent;
    this.url = `http://${LOOPBACK}:${portOf(front)}`;
    const limits = limitsWith(options.limits);
    const resolver = { lookup: async () => [LOOPBACK] };
    const trust = loadTrust({ operatorPem: [], clientCertificates: [] });
    this.#pool = new UpstreamPool({
      trust,
      resolver,
      limits,
      make: (socket) => new Http1Upstream(socket, limits),
    });
    const routes = this.#routes(options, limits);
    const planner = { resolver, overrides: [], limits };
    const service = new InferenceService({
      ...{ connections: this.#pool, planner, limits },
      held: new ByteBudget(limits.heldBytes),
    });
    this.#sockets = new Set();
    front.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      new Http1Downstream({
        socket,
        scheme: 'https',
        form: 'origin',
        limits,
        idle: new IdleClock(limits.keepAliveTime),
        serve: (exchange) => {
          const request = {
            exchange,
            routes,
            caller: options.caller ?? CALLER,
            identity: 'required',
            traceId: 'trace',
          } as const;
          void service.serve(request).then((record) => this.#keep(record));
        },
      }).start();
    });
  }

  /** The next record that has not been waited for. */
  record(): Promise<InferenceRecord> {
    const known = this.records.shift();
    return known === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(known);
  }

  post(path: string, body: object | string, headers: Record<string, string> = {}): Promise<Response> {
    const content = typeof body === 'string' ? body : JSON.stringify(body);
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      body: content,
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pool.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#backend.closeAllConnections();
    await Promise.all(
      [this.#front, this.#backend].map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  #routes(options: FixtureOptions, limits: Limits): RouteTable {
    const url = `http://${LOOPBACK}:${portOf(this.#backend)}`;
    const only: InferenceRoute = {
      name: 'main',
      models: ['small', 'large-*'],
      protocols: ALL,
      baseUrl: url,
      auth: { kind: 'bearer', credential: { kind: 'env', variable: 'KEY' } },
      ...options.route,
    };
    const transport = { send: () => Promise.reject(new Error('no token is needed')) };
    const sources = new SourcePool({ environment: { KEY }, transport: transport as never, now: Date.now });
    return new RouteTable(options.routes?.(url) ?? [only], sources, limits);
  }

  #keep(record: InferenceRecord): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(record);
    else this.records.push(record);
  }
}

const portOf = (server: Server | HttpServer): number => (server.address() as { port: number }).port;

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  respond: Respond,
  sent: Sent[],
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { method = '', url = '', headers } = request;
  const one = { method, url, headers, body };
  sent.push(one);
  respond(response, one);
}

/** A handler that answers with JSON. */
export const json =
  (body: object, status = 200): Respond =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** A handler that sends events and leaves it to `then` to end. */
export const events =
  (
    list: readonly string[],
    then: (response: ServerResponse) => void = (response) => void response.end(),
  ): Respond =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of list) response.write(one);
    then(response);
  };
