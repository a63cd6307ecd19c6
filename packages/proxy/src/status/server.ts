import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf, OpenShellError } from '@openshell/base';
import type { AuthorityStatus, ProxyStatus } from '@openshell/control';
import { formatAuthority } from '../http/authority.ts';
import { LIMITS } from '../limits.ts';
import { EXPOSITION_TYPE } from './exposition.ts';
import { renderMetrics } from './metrics.ts';
import { readinessOf } from './readiness.ts';

/** What is shown: the two questions of a control session that anybody who watches may ask. */
export interface StatusSource {
  status(): Promise<ProxyStatus>;
  authority(): Promise<AuthorityStatus>;
}

export interface StatusServerOptions {
  /** Absent: every address. */
  readonly host?: string;
  readonly port: number;
  readonly source: StatusSource;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Page = (source: StatusSource) => Promise<Answer> | Answer;

const text = (status: number, body: string, type = 'text/plain; charset=utf-8'): Answer => ({
  status,
  type,
  body,
});
const json = (status: number, body: object): Answer =>
  text(status, `${JSON.stringify(body)}\n`, 'application/json; charset=utf-8');

const PAGES: Readonly<Record<string, Page>> = {
  // That it answers at all says that the event loop turns.
  '/healthz': () => text(200, 'ok\n'),
  '/readyz': async (source) => {
    const readiness = readinessOf(await source.status());
    return json(readiness.ready ? 200 : 503, readiness);
  },
  '/metrics': async (source) => text(200, renderMetrics(await source.status()), EXPOSITION_TYPE),
  '/ca.pem': async (source) => text(200, (await source.authority()).bundlePem, 'application/x-pem-file'),
};

/** Serves the pages that say how the proxy is. Reads only; whoever can reach it learns names of tenants and counts, and no secret. */
export class StatusServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #source: StatusSource;
  readonly address: string;

  /** Throws `listen_failed`. */
  static async start({ host, port, source }: StatusServerOptions): Promise<StatusServer> {
    const server = createServer({
      headersTimeout: LIMITS.statusTime.value,
      requestTimeout: LIMITS.statusTime.value,
      keepAliveTimeout: LIMITS.statusTime.value,
      maxHeaderSize: LIMITS.statusHeadBytes.value,
      connectionsCheckingInterval: LIMITS.statusTime.value,
    });
    server.maxConnections = LIMITS.statusConnections.value;
    // Without descriptors left nothing can be accepted; that must not end the process.
    const refused = Promise.withResolvers<never>();
    server.on('error', (cause) => refused.reject(cause));
    try {
      await Promise.race([
        once(server.listen({ port, ...(host !== undefined && { host }) }), 'listening'),
        refused.promise,
      ]);
    } catch (cause) {
      throw new OpenShellError(
        `cannot serve the status on ${formatAuthority(host ?? '', port)}: ${messageOf(cause)}`,
        {
          code: 'listen_failed',
          cause,
          remedy: 'Choose an address of this machine and a port that is free and permitted for --status.',
        },
      );
    }
    // What comes later is nobody's to hear.
    refused.promise.catch(() => {});
    return new StatusServer(server, source);
  }

  private constructor(server: Server, source: StatusSource) {
    this.#server = server;
    this.#source = source;
    const address = server.address();
    this.address =
      typeof address === 'object' && address !== null ? formatAuthority(address.address, address.port) : '';
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise<void>((done) => this.#server.close(() => done()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Nothing is expected in a body; what comes is not read.
    const answer = await this.#answer(request);
    const isHead = request.method === 'HEAD';
    response.writeHead(answer.status, {
      'Content-Type': answer.type,
      'Content-Length': Buffer.byteLength(answer.body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...(answer.status === 405 && { Allow: 'GET, HEAD' }),
      ...(request.method !== 'GET' && !isHead && { Connection: 'close' }),
    });
    response.end(isHead ? undefined : answer.body);
  }

  async #answer({ method, url = '' }: IncomingMessage): Promise<Answer> {
    const [path = ''] = url.split('?', 1);
    const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
    if (page === undefined) return text(404, `there are ${Object.keys(PAGES).join(', ')}\n`);
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'GET and HEAD only\n');
    try {
      return await page(this.#source);
    } catch {
      // What went wrong is in the log of whoever was asked; here anybody may read.
      return text(503, 'the proxy cannot say at this moment\n');
    }
  }
}
