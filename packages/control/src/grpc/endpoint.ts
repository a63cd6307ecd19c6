import {
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { createConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { ProxyControl } from '../contract/proxy-control.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { keepAlive } from './keep-alive.ts';
import { errorTo } from './refusals.ts';
import { controlService } from './service.ts';

/** Asked before each call, with its `Authorization` field. Throws the refusal. */
export type Admission = (authorization: string | undefined) => Promise<void> | void;

/** How long connections may take to finish when the endpoint closes, in ms. */
const FAREWELL_TIME = 1000;

/** Speaks gRPC on connections that somebody else has accepted. */
export class ControlEndpoint implements AsyncDisposable {
  readonly #handlers: ReadonlyMap<string, UniversalHandler>;
  readonly #sessions = new Set<ServerHttp2Session>();
  #closed = false;

  constructor(control: ProxyControl) {
    const router = createConnectRouter({
      connect: false,
      grpcWeb: false,
      readMaxBytes: CONTROL_LIMITS.requestBytes.value,
      writeMaxBytes: CONTROL_LIMITS.answerBytes.value,
      // A small message must not become a large one.
      acceptCompression: [],
    });
    controlService(control)(router);
    this.#handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  }

  /**
   * Takes over the connection, and closes it when there are too many, or when for a while none of its calls was admitted: who may not call
   * holds no place. Resolves when it has ended; never rejects.
   */
  async serve(connection: Duplex, admission: Admission = () => undefined): Promise<void> {
    connection.on('error', () => connection.destroy());
    if (this.#closed || this.#sessions.size >= CONTROL_LIMITS.connections.value) {
      connection.destroy();
      return;
    }
    const server = createServer({ settings: { maxConcurrentStreams: CONTROL_LIMITS.calls.value } });
    let silence: NodeJS.Timeout | undefined;
    const admit: Admission = async (authorization) => {
      await admission(authorization);
      clearTimeout(silence);
    };
    server.on('request', (request, response) => void this.#answer(request, response, admit));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.once('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => session.destroy());
      session.once('close', () => {
        this.#sessions.delete(session);
        resolve();
      });
      keepAlive(session);
      silence = setTimeout(() => session.destroy(), CONTROL_LIMITS.handshakeTime.value).unref();
      session.once('close', () => clearTimeout(silence));
    });
    server.emit('connection', connection);
    await promise;
  }

  /** Calls that are under way get a moment; sessions of the contract are ended by the proxy before, or are lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const closing = [...this.#sessions].map(async (session) => {
      const late = setTimeout(() => session.destroy(), FAREWELL_TIME);
      const { promise, resolve } = Promise.withResolvers<void>();
      session.once('close', resolve);
      session.close();
      await promise;
      clearTimeout(late);
    });
    await Promise.all(closing);
  }

  async #answer(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    admission: Admission,
  ): Promise<void> {
    // Of a stream that was reset: whoever is concerned hears of it by the signal of the call.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      await admission(request.headers.authorization);
    } catch (thrown) {
      refuse(response, thrown);
      return;
    }
    const handler = this.#handlers.get(request.url);
    if (!handler) {
      response.writeHead(404).end();
      return;
    }
    try {
      const answer = await handler(universalRequestFromNodeRequest(request, response, undefined, undefined));
      await universalResponseToNodeResponse(answer, response);
    } catch {
      // Nobody is there to read the answer, or the message could not be read: either way the stream is over.
      if (!response.stream.destroyed) response.stream.close();
    }
  }
}

/**
 * An answer that is all trailers (gRPC over HTTP/2, "Trailers-Only"), before the request's body was looked at. Its one block of fields also ends the
 * stream: clients look for a status at the end alone.
 */
function refuse({ stream }: Http2ServerResponse, thrown: unknown): void {
  if (stream.destroyed) return;
  const trailer = new Headers({ 'content-type': 'application/grpc' });
  setTrailerStatus(trailer, errorTo(thrown));
  stream.respond({ ':status': 200, ...Object.fromEntries(trailer) }, { endStream: true });
}
