import {
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';

type Message = Readonly<Record<string, unknown>>;
type Done = (error: ServiceError | null, answer: Message) => void;
type Call = (request: Message, metadata: Metadata, done: Done) => void;
type Follow = (request: Message, metadata: Metadata) => ClientReadableStream<Message>;

/** A client that has never heard of our TypeScript: another library, and nothing but a descriptor. */
export class RawClient implements Disposable {
  readonly metadata = new Metadata();
  readonly #streams = new Set<ClientReadableStream<Message>>();
  readonly #client: { readonly [name: string]: unknown; close(): void };

  constructor(path: string, definition: PackageDefinition) {
    // biome-ignore lint/suspicious/noExplicitAny: the library makes classes from names
    const { openshell } = loadPackageDefinition(definition) as any;
    this.#client = new openshell.proxy.v1.ProxyControl(`unix:${path}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': 16_777_216,
    });
  }

  /** The first message of a session, whose id goes with all later calls. */
  async connect(request: Message): Promise<Message> {
    const stream = this.follow('Connect', request);
    const { value } = await stream[Symbol.asyncIterator]().next();
    this.metadata.set('openshell-session', value.hello.session);
    return value.hello;
  }

  call(name: string, request: Message): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    (this.#client[name] as Call).call(this.#client, request, this.metadata, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
    return promise;
  }

  follow(name: string, request: Message): ClientReadableStream<Message> {
    const stream = (this.#client[name] as Follow).call(this.#client, request, this.metadata);
    // Of a stream that ends with its client.
    stream.on('error', () => undefined);
    this.#streams.add(stream);
    return stream;
  }

  /** Without a good-bye. */
  [Symbol.dispose](): void {
    for (const stream of this.#streams) stream.cancel();
    this.#client.close();
  }
}
