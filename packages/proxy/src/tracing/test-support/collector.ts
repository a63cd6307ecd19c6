import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A span as a collector reads it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code: number; readonly message?: string };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

interface Encoded {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | boolean>>;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A collector of spans on this machine. */
export class FakeCollector implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: IncomingMessage[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #sockets = new Set<Socket>();
  #changed = Promise.withResolvers<void>();
  /** What it says to the next export, and whether it keeps it. */
  answer: Answer = (response) => response.end('{}');
  keeps = true;

  static async start(port = 0): Promise<FakeCollector> {
    const collector = new FakeCollector();
    const server = collector.#server;
    server.on('connection', (socket: Socket) => {
      collector.#sockets.add(socket);
      socket.once('close', () => collector.#sockets.delete(socket));
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return collector;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when the condition holds, which is looked at with every export. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    this.requests.push(request);
    if (this.keeps) this.#take(JSON.parse(Buffer.concat(chunks).toString()));
    this.answer(response, request);
    const changed = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    changed.resolve();
  }

  #take(body: {
    resourceSpans: {
      scopeSpans: { spans: (Omit<ReceivedSpan, 'attributes'> & { attributes: Encoded[] })[] }[];
    }[];
  }): void {
    for (const { scopeSpans } of body.resourceSpans)
      for (const { spans } of scopeSpans)
        for (const span of spans) {
          const attributes = Object.fromEntries(
            span.attributes.map(({ key, value }) => [key, Object.values(value)[0]!]),
          );
          this.spans.push({ ...span, attributes });
        }
  }
}
