import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import {
  Client,
  type ClientOptions,
  credentials,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { LOOPBACK } from '../test-support/fixture.ts';
import { Rig } from './test-support/rig.ts';

const method = (
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<string, string> => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: (text) => Buffer.from(text),
  requestDeserialize: (bytes) => bytes.toString(),
  responseSerialize: (text) => Buffer.from(text),
  responseDeserialize: (bytes) => bytes.toString(),
});

const SERVICE = {
  unary: method('Unary', false, false),
  fail: method('Fail', false, false),
  count: method('Count', false, true),
  echo: method('Echo', true, true),
  wait: method('Wait', false, false),
};

const unary: handleUnaryCall<string, string> = (call, done) => {
  const metadata = new Metadata();
  metadata.set('x-server', 'yes');
  call.sendMetadata(metadata);
  const trailer = new Metadata();
  trailer.set('x-trailer', `${call.metadata.get('x-client')[0]}`);
  done(null, call.request.toUpperCase(), trailer);
};

const count: handleServerStreamingCall<string, string> = (call) => {
  for (let number = 0; number < Number(call.request); number++) call.write(`${number}`);
  call.end();
};

const echo: handleBidiStreamingCall<string, string> = (call) => {
  call.on('data', (text: string) => call.write(text));
  call.on('end', () => call.end());
};

/** A gRPC server behind both sides of the proxy's HTTP/2, and a client before them. */
class Grpc implements AsyncDisposable {
  readonly client: Client;
  readonly rig: Rig;
  readonly #server: Server;
  /** Resolves when the server sees a call of `wait` cancelled. */
  readonly cancelled: Promise<void>;

  static async start(options: ClientOptions = {}): Promise<Grpc> {
    const server = new Server();
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    server.addService(SERVICE, {
      unary,
      count,
      echo,
      fail: ((_call, done) =>
        done({ code: status.NOT_FOUND, details: 'no such thing: ü' })) satisfies handleUnaryCall<
        string,
        string
      >,
      wait: ((call) => void call.on('cancelled', resolve)) satisfies handleUnaryCall<string, string>,
    });
    const port = await new Promise<number>((bound, reject) =>
      server.bindAsync(`${LOOPBACK}:0`, ServerCredentials.createInsecure(), (error, at) =>
        error === null ? bound(at) : reject(error),
      ),
    );
    return new Grpc(server, await Rig.start({ originPort: port }), cancelled, options);
  }

  constructor(server: Server, rig: Rig, cancelled: Promise<void>, options: ClientOptions) {
    this.#server = server;
    this.rig = rig;
    this.cancelled = cancelled;
    this.client = new Client(`${LOOPBACK}:${rig.port}`, credentials.createInsecure(), options);
  }

  call(name: keyof typeof SERVICE, text: string, deadline = Date.now() + 5000) {
    const { path, requestSerialize, responseDeserialize } = SERVICE[name];
    const metadata = new Metadata();
    metadata.set('x-client', 'hello');
    const { promise, resolve } = Promise.withResolvers<{
      error: ServiceError | null;
      text: string | undefined;
    }>();
    const call = this.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      text,
      metadata,
      { deadline },
      (error, answer) => resolve({ error, text: answer }),
    );
    return { call, answer: promise };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.rig[Symbol.asyncDispose]();
    this.#server.forceShutdown();
  }
}

describe('gRPC through both sides of HTTP/2', () => {
  test('a unary call has its answer, metadata and trailers', async () => {
    await using grpc = await Grpc.start();
    const { call, answer } = grpc.call('unary', 'hello');
    const [[metadata], [end], { error, text }] = await Promise.all([
      once(call, 'metadata'),
      once(call, 'status'),
      answer,
    ]);
    assert.equal(error, null);
    assert.equal(text, 'HELLO');
    assert.deepEqual(metadata.get('x-server'), ['yes']);
    assert.deepEqual(end.metadata.get('x-trailer'), ['hello']);
    assert.equal(grpc.rig.exchanges[0]?.request.target, '/test.Echo/Unary');
  });

  test('an error that is nothing but trailers keeps its code and its text', async () => {
    await using grpc = await Grpc.start();
    const { error } = await grpc.call('fail', 'x').answer;
    assert.equal(error?.code, status.NOT_FOUND);
    assert.equal(error?.details, 'no such thing: ü');
  });

  test('a server that streams', async () => {
    await using grpc = await Grpc.start();
    const { path, requestSerialize, responseDeserialize } = SERVICE.count;
    const call = grpc.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, '200');
    const got: string[] = [];
    for await (const text of call) got.push(text);
    assert.deepEqual(
      got,
      Array.from({ length: 200 }, (_, index) => `${index}`),
    );
  });

  test('both sides stream, each answer before the next question', async () => {
    await using grpc = await Grpc.start();
    const { path, requestSerialize, responseDeserialize } = SERVICE.echo;
    const call = grpc.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const ended = once(call, 'status');
    for (let round = 0; round < 20; round++) {
      call.write(`${round}`);
      assert.deepEqual(await once(call, 'data'), [`${round}`]);
    }
    call.end();
    call.resume();
    const [{ code }] = await ended;
    assert.equal(code, status.OK);
  });

  test('a large message in both directions', async () => {
    await using grpc = await Grpc.start();
    const { text } = await grpc.call('unary', 'x'.repeat(3_000_000)).answer;
    assert.equal(text?.length, 3_000_000);
  });

  test('a deadline reaches the server as a cancellation', async () => {
    await using grpc = await Grpc.start();
    const { answer } = grpc.call('wait', 'x', Date.now() + 50);
    assert.equal((await answer).error?.code, status.DEADLINE_EXCEEDED);
    await grpc.cancelled;
  });

  test('a cancellation reaches the server, and the connection goes on', async () => {
    await using grpc = await Grpc.start();
    const { call, answer } = grpc.call('wait', 'x');
    while (grpc.rig.exchanges.length === 0) await new Promise(setImmediate);
    call.cancel();
    assert.equal((await answer).error?.code, status.CANCELLED);
    await grpc.cancelled;
    assert.equal((await grpc.call('unary', 'on').answer).text, 'ON');
    assert.equal(grpc.rig.connections.length, 1);
  });

  test('many calls at a time on one connection', async () => {
    await using grpc = await Grpc.start();
    const answers = Array.from({ length: 60 }, (_, index) => grpc.call('unary', `call ${index}`).answer);
    const texts = (await Promise.all(answers)).map(({ text }) => text);
    assert.deepEqual(
      texts,
      Array.from({ length: 60 }, (_, index) => `CALL ${index}`),
    );
    assert.equal(grpc.rig.connections.length, 1);
  });
});
