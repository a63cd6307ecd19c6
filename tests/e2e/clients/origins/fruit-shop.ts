import { promisify } from 'node:util';
import { Server as GrpcServer, type Server, ServerCredentials } from '@grpc/grpc-js';
import type { Certificates } from '../../../support/certificates.ts';
import { fruitShop } from '../programs/fruit-shop.ts';
import type { Seen } from './seen.ts';

/** A gRPC server on a port of 127.0.0.1. */
export class FruitShop implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start({ certificate, key }: Certificates, seen: Seen): Promise<FruitShop> {
    const server = new GrpcServer();
    server.addService(fruitShop, {
      price: (call: { request: string }, reply: (error: null, value: string) => void) => {
        seen.note(`price of ${call.request}`);
        reply(null, `${call.request} costs 3`);
      },
      list: async (call: { write(value: string): void; end(): void }) => {
        seen.note('list');
        for (const fruit of ['apple', 'pear', 'plum']) call.write(fruit);
        call.end();
      },
      chat: (call: NodeJS.EventEmitter & { write(value: string): void; end(): void }) => {
        call.on('data', (text: string) => call.write(text.toUpperCase()));
        call.on('end', () => call.end());
      },
      empty: (_: unknown, reply: (error: null, value: string) => void) => {
        seen.note('empty');
        reply(null, 'the shop is empty');
      },
    });
    const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) };
    const credentials = ServerCredentials.createSsl(null, [pair]);
    const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', credentials);
    return new FruitShop(server, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}
