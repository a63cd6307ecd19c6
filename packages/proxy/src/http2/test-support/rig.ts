import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ClientExchange, UpstreamFailure } from '../../exchange/exchange.ts';
import { type Limits, limitsWith } from '../../limits.ts';
import { LOOPBACK, portOf } from '../../test-support/fixture.ts';
import { type Http2Downstream, serveHttp2 } from '../downstream.ts';
import { Http2Upstream } from '../upstream.ts';
import { pipe } from './pipe.ts';
import { RawPeer } from './raw-peer.ts';

export interface RigOptions {
  readonly limits?: Partial<Limits>;
  /** Serves the exchanges; without it they are piped to the origin. */
  readonly onExchange?: (exchange: ClientExchange) => void;
  readonly originPort?: number;
}

/** A server of HTTP/2 on a port, in front of an origin where there is one. Plain TCP: what TLS adds is tested on its own. */
export class Rig implements AsyncDisposable {
  readonly limits: Limits;
  readonly connections: Http2Downstream[] = [];
  readonly exchanges: ClientExchange[] = [];
  readonly failures: UpstreamFailure[] = [];
  upstream: Http2Upstream | undefined;
  readonly #server: Server;
  readonly #clients: Socket[] = [];

  static async start(options: RigOptions = {}): Promise<Rig> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(server.listen(0, LOOPBACK), 'listening');
    const rig = new Rig(server, options);
    if (options.originPort !== undefined) {
      const socket = connect(options.originPort, LOOPBACK);
      await once(socket, 'connect');
      rig.upstream = new Http2Upstream({ socket, limits: rig.limits });
    }
    return rig;
  }

  private constructor(server: Server, { limits = {}, onExchange }: RigOptions) {
    this.#server = server;
    this.limits = limitsWith(limits);
    const serve =
      onExchange ?? ((exchange) => pipe(exchange, this.upstream!, (failure) => this.failures.push(failure)));
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      const connection = serveHttp2({
        socket,
        scheme: 'http',
        limits: this.limits,
        onExchange: (exchange) => {
          this.exchanges.push(exchange);
          serve(exchange);
        },
      });
      this.connections.push(connection);
    });
  }

  get port(): number {
    return portOf(this.#server);
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  async client(): Promise<RawPeer> {
    const socket = connect(this.port, LOOPBACK);
    this.#clients.push(socket);
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const connection of this.connections) connection.destroy();
    this.upstream?.destroy();
    await Promise.all(this.connections.map(({ done }) => done));
    this.#server.close();
  }
}
