import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import type { ServerIdentity } from './certificates.ts';

/** A server on a port of 127.0.0.1 that the kernel chose; ends with everything that is connected to it. */
export class Origin implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections so far. */
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {}); // clients are killed in these tests
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async listen(server: Server, host = '127.0.0.1'): Promise<Origin> {
    const origin = new Origin(server);
    server.listen(0, host);
    await once(server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Answers every request with `origin METHOD PATH`. */
const answer: RequestListener = (request, response) => {
  request.resume();
  request.on('end', () => response.end(`origin ${request.method} ${request.url}\n`));
};

export const httpsOrigin = ({ certificate, key }: ServerIdentity): Promise<Origin> =>
  Origin.listen(createHttps({ cert: certificate, key }, answer));

export const httpOrigin = (host?: string): Promise<Origin> => Origin.listen(createHttp(answer), host);

/** Speaks first, as databases and mail servers do, then returns each line in capitals. */
export const greetingOrigin = (): Promise<Origin> =>
  Origin.listen(
    createTcp((socket) => {
      socket.setEncoding('utf8').write('greetings\n');
      socket.on('data', (text) => socket.write(String(text).toUpperCase()));
    }),
  );
