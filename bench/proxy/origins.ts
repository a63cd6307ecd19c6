import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

type AnyServer = ReturnType<typeof createTcpServer> | Server | ReturnType<typeof createSecureServer>;

/** Servers behind the proxy, on loopback, in this process. */
export class Origins implements AsyncDisposable {
  readonly #servers: AnyServer[] = [];
  readonly #sockets = new Set<Socket>();

  /** Answers every request; `/large` with a megabyte. Its port. */
  http(): Promise<number> {
    return this.#listen(createServer(KEEPING, answer));
  }

  /** The same with TLS. */
  https(identity: { readonly cert: string; readonly key: string }): Promise<number> {
    return this.#listen(createSecureServer({ ...identity, ...KEEPING }, answer));
  }

  /** Sends back what it gets. */
  echo(): Promise<number> {
    return this.#listen(
      createTcpServer((socket) => {
        socket.on('error', () => {}).pipe(socket);
      }),
    );
  }

  /** Ends the connections that are open; those that come later are served. */
  endConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((done) => server.close(() => done())));
    this.endConnections();
    await Promise.all(closed);
  }

  async #listen(server: AnyServer): Promise<number> {
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await once(server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }), 'listening');
    return (server.address() as AddressInfo).port;
  }
}

/** The proxy decides when an idle connection ends. */
const KEEPING = { keepAliveTimeout: 0 };
/** Of a usual answer. */
export const BODY_BYTES = 128;
const SMALL = Buffer.alloc(BODY_BYTES, 'a');
const LARGE = Buffer.alloc(1024 * 1024, 'a');

const answer: NonNullable<Parameters<typeof createServer>[1]> = (request, response) => {
  request.resume();
  const body = request.url === '/large' ? LARGE : SMALL;
  response.writeHead(200, { 'Content-Length': body.length }).end(body);
};
