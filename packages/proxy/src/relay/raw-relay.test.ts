import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { Upstream } from '../destination/upstream.ts';
import { limitsWith } from '../limits.ts';
import { RawRelay, type RelayResult } from './raw-relay.ts';

const MEGABYTES = 8;

/** Every byte depends on its place, so that one that is lost, doubled or overwritten shows. */
const pattern = (size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
};

async function listen(): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

interface Ends {
  readonly client: Socket;
  readonly origin: Socket;
  readonly done: Promise<RelayResult>;
}

/** A client and an origin with a relay between them; `first` was read from the client before. */
async function joined(
  work: (ends: Ends) => Promise<void>,
  first?: Buffer,
  prepare: (client: Socket) => Promise<void> = async () => {},
): Promise<void> {
  const [front, back] = await Promise.all([listen(), listen()]);
  const port = (server: Server): number => (server.address() as AddressInfo).port;
  const client = connect({ port: port(front), host: '127.0.0.1', allowHalfOpen: true });
  const [[accepted]] = (await Promise.all([once(front, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  await prepare(client);
  const upstream = new Upstream({ address: '127.0.0.1', port: port(back) } as Upstream['target']);
  const [[origin]] = (await Promise.all([once(back, 'connection'), once(upstream.socket, 'connect')])) as [
    [Socket],
    unknown,
  ];
  const relay = new RawRelay(accepted, upstream, limitsWith({}));
  relay.startDownstream();
  relay.startUpstream(first);
  await work({ client, origin, done: relay.done });
  await relay.done;
  front.close();
  back.close();
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('the raw relay', () => {
  test('passes on in order what was read before, what has arrived since, and what follows', async () => {
    const arrived = async (client: Socket): Promise<void> => {
      await new Promise<void>((resolve) => client.write('two ', () => resolve()));
    };
    await joined(
      async ({ client, origin }) => {
        client.end('three');
        assert.equal((await readAll(origin)).toString(), 'one two three');
        origin.end();
        await readAll(client);
      },
      Buffer.from('one '),
      arrived,
    );
  });

  test('changes no byte in either direction, however slowly the receiver takes them', async () => {
    const bytes = pattern(MEGABYTES * 1024 * 1024);
    await joined(async ({ client, origin, done }) => {
      // More than the kernel holds: both directions have to wait for their receivers.
      client.end(bytes);
      origin.end(bytes);
      const [atOrigin, atClient] = await Promise.all([readAll(origin), readAll(client)]);
      assert.ok(atOrigin.equals(bytes) && atClient.equals(bytes));
      const { out, in: received, reason } = await done;
      assert.deepEqual([out, received, reason], [bytes.length, bytes.length, undefined]);
    });
  });

  test('serves the next connection from a buffer of an earlier one without mixing them', async () => {
    for (const word of ['a longer message than the next', 'short']) {
      await joined(async ({ client, origin }) => {
        client.end(word);
        origin.end(word);
        assert.equal((await readAll(origin)).toString(), word);
        assert.equal((await readAll(client)).toString(), word);
      });
    }
  });

  test('a reset on one side is a reset on the other', async () => {
    await joined(async ({ client, origin, done }) => {
      const closed = new Promise((resolve) =>
        origin
          .on('error', () => {})
          .once('close', resolve)
          .resume(),
      );
      client.resetAndDestroy();
      await closed;
      assert.match((await done).reason ?? '', /ECONNRESET|EPIPE/);
    });
  });
});
