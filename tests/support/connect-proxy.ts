import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Origin } from './origin.ts';

/** A proxy of somebody's network: takes CONNECT, wants a password where it has one, and leads what it is asked for to ports of 127.0.0.1. */
export class ConnectProxy implements AsyncDisposable {
  /** What it was asked for, refused requests included: `10.0.0.1:443`. */
  readonly asked: string[] = [];
  /** The Proxy-Authorization of each. */
  readonly authorizations: (string | undefined)[] = [];
  /** Requests that were no CONNECT. */
  readonly others: string[] = [];
  readonly #routes: ReadonlyMap<string, number>;
  readonly #credentials: string | undefined;
  #origin: Origin | undefined;

  private constructor(routes: ReadonlyMap<string, number>, credentials: string | undefined) {
    this.#routes = routes;
    this.#credentials = credentials;
  }

  /** @param credentials `user:password`. */
  static async start(routes: Readonly<Record<string, number>>, credentials?: string): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(new Map(Object.entries(routes)), credentials);
    const server = createServer((request, response) => {
      proxy.others.push(`${request.method} ${request.url}`);
      response.writeHead(405).end();
    });
    server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) =>
      proxy.#connect(request, client, head),
    );
    proxy.#origin = await Origin.listen(server);
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#origin!.port}`;
  }

  /** Ends, with every tunnel. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin?.[Symbol.asyncDispose]();
    this.#origin = undefined;
  }

  #connect({ url = '', headers }: IncomingMessage, client: Duplex, head: Buffer): void {
    const given = headers['proxy-authorization'];
    this.asked.push(url);
    this.authorizations.push(given);
    const wanted = this.#credentials && `Basic ${Buffer.from(this.#credentials).toString('base64')}`;
    const port = this.#routes.get(url);
    if (wanted !== undefined && given !== wanted)
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    else if (port === undefined) client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
    else join(client, head, connect(port, '127.0.0.1'));
  }
}

const join = (client: Duplex, head: Buffer, origin: Socket): void => {
  origin.on('error', () => client.destroy());
  origin.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    origin.write(head);
    client.pipe(origin).pipe(client);
  });
  client.once('close', () => origin.destroy());
};
