import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { messageOf } from '@openshell/base';
import { ControlRefusal } from '../contract/refusal.ts';
import { keepAlive } from './keep-alive.ts';

/**
 * One HTTP/2 connection to a proxy, as the gRPC library wants it. In place of the library's own manager, which would connect again when it is lost:
 * a session of the contract lives and dies with its connection.
 */
export class ProxyConnection implements Disposable {
  /** What stands in requests; where the connection goes was settled before. */
  readonly authority = 'http://proxy';
  readonly #session: ClientHttp2Session;
  #why = 'the connection was closed';

  constructor(connection: Duplex) {
    this.#session = connect(this.authority, { createConnection: () => connection });
    // For as long as it lives: what goes wrong is told to its streams.
    this.#session.on('error', (error) => {
      this.#why = messageOf(error);
    });
    this.#session.once('goaway', () => this.#session.close());
    keepAlive(this.#session);
  }

  async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    if (this.#session.destroyed || this.#session.closed)
      throw new ControlRefusal(`the proxy cannot be reached: ${this.#why}`, { code: 'unavailable' });
    return this.#session.request({ ...headers, ':method': method, ':path': path });
  }

  notifyResponseByteRead(): void {
    // Silence is found out by pings.
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}
