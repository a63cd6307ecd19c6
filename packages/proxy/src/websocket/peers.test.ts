import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type PerMessageDeflateOptions, type RawData, WebSocket, WebSocketServer } from 'ws';
import { CLOSE, OPCODE } from './frame.ts';
import type { RelayRules, WebSocketMessage } from './rules.ts';
import { testFrame } from './test-frames.ts';
import { bareRelay, type Gateway, gateway, type RelayOptions } from './test-relay.ts';

const SECRET = 'sk-very-secret';
const PLACEHOLDER = 'openshell:resolve:env:KEY';

interface Peers extends Gateway {
  readonly client: WebSocket;
  readonly server: WebSocket;
}

type Compression = boolean | PerMessageDeflateOptions;

/** A client and a server of the `ws` package with the relay between. */
async function peers(
  t: TestContext,
  options: RelayOptions = {},
  compression: { readonly client?: Compression; readonly server?: Compression } = {},
): Promise<Peers> {
  const listener = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: compression.server ?? false,
  });
  await once(listener, 'listening');
  t.after(() => listener.close());
  const accepted = once(listener, 'connection') as Promise<[WebSocket]>;
  const entry = await gateway(t, (listener.address() as AddressInfo).port, options);
  const client = new WebSocket(entry.url, ['chat', 'v2.chat'], {
    perMessageDeflate: compression.client ?? false,
  });
  await once(client, 'open');
  const [server] = await accepted;
  t.after(() => {
    client.terminate();
    server.terminate();
  });
  return { ...entry, client, server };
}

const echo = (server: WebSocket): void => {
  server.on('message', (data, binary) => server.send(data, { binary }));
};

const messageOf = async (socket: WebSocket): Promise<string> => {
  const [data] = (await once(socket, 'message')) as [RawData];
  return data.toString();
};

const allowAll: RelayRules = {
  client: { authorize: () => ({ action: 'allow' }), rewrite: (text) => text.replaceAll(PLACEHOLDER, SECRET) },
  server: { authorize: () => ({ action: 'allow' }), mask: (text) => text.replaceAll(SECRET, PLACEHOLDER) },
};

const always = { threshold: 0 };
const kinds: [string, RelayRules, Compression][] = [
  ['unread', {}, false],
  ['unread and compressed', {}, always],
  ['read', allowAll, false],
  ['read and compressed', allowAll, always],
  ['read from the client alone and compressed', { client: allowAll.client }, always],
  ['read from the server alone and compressed', { server: allowAll.server }, always],
];

for (const [kind, rules, compression] of kinds) {
  describe(`ws on both sides, ${kind}`, () => {
    const start = (t: TestContext): Promise<Peers> =>
      peers(t, { rules }, { client: compression, server: compression });

    test('agrees on a subprotocol, and on compression where it was offered', async (t) => {
      const { client, server } = await start(t);
      assert.deepEqual([client.protocol, server.protocol], ['chat', 'chat']);
      assert.match(client.extensions, compression === false ? /^$/ : /^permessage-deflate/);
    });

    test('exchanges texts and binary messages of any size, whole and in fragments', async (t) => {
      const { client, server, budget } = await start(t);
      echo(server);
      const messages = [
        '',
        'h\u00e9llo \u{1f600}',
        'x'.repeat(125),
        'ab'.repeat(40_000),
        Buffer.alloc(200_000, 7),
      ];
      for (const message of messages) {
        const answer = once(client, 'message') as Promise<[Buffer, boolean]>;
        client.send(message);
        const [data, binary] = await answer;
        assert.deepEqual(data, Buffer.from(message));
        assert.equal(binary, typeof message !== 'string');
      }
      const answer = messageOf(client);
      for (const part of ['one ', 'two ', 'three']) client.send(part, { fin: part === 'three' });
      assert.equal(await answer, 'one two three');
      assert.equal(budget.taken, 0);
    });

    test('keeps 1,000 messages of both sides whole and in order', async (t) => {
      const { client, server, relay } = await start(t);
      const count = 1000;
      const body = 'x'.repeat(2000);
      echo(server);
      const got: number[] = [];
      const all = Promise.withResolvers<void>();
      client.on('message', (data) => {
        got.push(Number.parseInt(data.toString(), 10));
        if (got.length === count) all.resolve();
      });
      for (let at = 0; at < count; at++) client.send(`${at} ${body}`);
      await all.promise;
      assert.deepEqual(
        got,
        Array.from({ length: count }, (_, at) => at),
      );
      client.close(1000);
      const { end, messages } = await (await relay).done;
      assert.deepEqual(messages, { client: count, server: count });
      assert.deepEqual(end, { kind: 'closed', by: 'client', code: 1000 });
    });

    test('pings and pongs through', async (t) => {
      const { client, server } = await start(t);
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        const [pinged, ponged] = [once(other, 'ping'), once(one, 'pong')];
        one.ping('are you there');
        assert.equal(String((await pinged)[0]), 'are you there');
        assert.equal(String((await ponged)[0]), 'are you there');
      }
    });

    test('closes with the code and reason of whoever closes', async (t) => {
      for (const by of ['client', 'server'] as const) {
        const both = await start(t);
        const other = by === 'client' ? both.server : both.client;
        const closed = [once(other, 'close'), once(both[by], 'close')];
        both[by].close(4321, 'enough');
        for (const [code, reason] of await Promise.all(closed)) {
          assert.deepEqual([code, String(reason)], [4321, 'enough']);
        }
        assert.deepEqual((await (await both.relay).done).end, { kind: 'closed', by, code: 4321 });
      }
    });

    test('sees 1006 where the other side breaks off', async (t) => {
      for (const by of ['client', 'server'] as const) {
        const both = await start(t);
        const other = by === 'client' ? both.server : both.client;
        const closed = once(other, 'close');
        both[by].terminate();
        assert.equal((await closed)[0], 1006);
        assert.deepEqual((await (await both.relay).done).end, { kind: 'lost', by });
      }
    });

    test('sees the code of the proxy', async (t) => {
      const { client, server, relay } = await start(t);
      const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
      (await relay).close(CLOSE.restart, 'the policy has changed');
      const [[code, reason], [serverCode, serverReason]] = await closed;
      assert.deepEqual([code, String(reason)], [1012, 'the policy has changed']);
      assert.deepEqual([serverCode, String(serverReason)], [1012, '']);
      await (await relay).done;
    });
  });
}

test('a client that keeps its window still compresses each message alone where they are read', async (t) => {
  const compression = { ...always, clientMaxWindowBits: 9, serverMaxWindowBits: 9 };
  const { client, server } = await peers(
    t,
    { rules: allowAll },
    { client: compression, server: compression },
  );
  echo(server);
  for (let round = 0; round < 3; round++) {
    const answer = messageOf(client);
    client.send('the same text again');
    assert.equal(await answer, 'the same text again');
  }
});

test('a server that does not compress is joined with a client that would', async (t) => {
  const { client, server } = await peers(t, { rules: allowAll }, { client: always });
  assert.equal(client.extensions, '');
  echo(server);
  const answer = messageOf(client);
  client.send('plain');
  assert.equal(await answer, 'plain');
});

for (const compression of [false, always]) {
  test(`the server gets the secret and the client its placeholder (${compression === false ? 'plain' : 'compressed'})`, async (t) => {
    const { client, server } = await peers(
      t,
      { rules: allowAll },
      { client: compression, server: compression },
    );
    echo(server);
    const [sent, answer] = [messageOf(server), messageOf(client)];
    client.send(`key=${PLACEHOLDER}`);
    assert.equal(await sent, `key=${SECRET}`);
    assert.equal(await answer, `key=${PLACEHOLDER}`);
  });
}

test('a refused message closes a real client with the reason, and its server did not get it', async (t) => {
  const seen: WebSocketMessage[] = [];
  const rules: RelayRules = {
    client: {
      authorize: async (message) => {
        seen.push(message);
        return message.kind === 'text' && message.text !== 'drop table'
          ? { action: 'allow' }
          : { action: 'deny', reason: 'not allowed' };
      },
    },
  };
  const { client, server, relay } = await peers(t, { rules }, { client: always, server: always });
  const got: string[] = [];
  server.on('message', (data) => got.push(data.toString()));
  const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
  for (const text of ['select', 'drop table', 'select']) client.send(text);
  const [[code, reason], [serverCode]] = await closed;
  assert.deepEqual([code, String(reason), serverCode], [1008, 'not allowed', 1008]);
  assert.deepEqual(got, ['select']);
  assert.equal(seen.length, 2);
  assert.equal((await (await relay).done).end.kind, 'refused');
});

describe('a slow reader', () => {
  const FRAMES = 1500;
  const ways: [string, RelayRules][] = [
    ['unread', {}],
    ['read', { client: {}, server: {} }],
  ];
  for (const [what, rules] of ways) {
    test(`makes the other side wait, and little is held (${what})`, async (t) => {
      const { client, server, budget, held } = await bareRelay(t, { rules });
      const frame = testFrame({ opcode: OPCODE.text, payload: 'x'.repeat(16_000) });
      let most = 0;
      let taken = 0;
      const slow = new Writable({
        highWaterMark: 1,
        async write(chunk: Buffer, _encoding, done) {
          taken += chunk.length;
          most = Math.max(most, held() + budget.taken);
          await setImmediate();
          done();
        },
      });
      for (let at = 0; at < FRAMES; at++) server.write(frame);
      server.end();
      await pipeline(client, slow);
      assert.equal(taken, FRAMES * frame.length);
      assert.ok(most < 500_000, `${most} bytes were held`);
    });
  }
});
