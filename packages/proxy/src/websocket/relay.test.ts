import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { deflateRawSync } from 'node:zlib';
import { CLOSE, closePayload, OPCODE } from './frame.ts';
import type { MessageVerdict, RelayRules } from './rules.ts';
import { type TestFrame, testFrame } from './test-frames.ts';
import { type BareRelay, bareRelay, readAll, readBytes } from './test-relay.ts';

const KEY = 0x01020304;
const SECRET = 'sk-very-secret';
const PLACEHOLDER = 'openshell:resolve:env:KEY';

const fromClient = (frame: TestFrame): Buffer => testFrame({ ...frame, mask: KEY });
const text = (payload: string): TestFrame => ({ opcode: OPCODE.text, payload });
const close = (code: number, reason = ''): Buffer =>
  testFrame({ opcode: OPCODE.close, payload: closePayload(code, reason) });

/** What a close frame at the end of these bytes says. */
const lastWords = (bytes: Buffer): [code: number, reason: string] | undefined => {
  for (let at = 0; at + 1 < bytes.length; ) {
    const length = bytes[at + 1]! & 127;
    if ((bytes[at]! & 15) !== OPCODE.close) at += 2 + length;
    else return [bytes.readUInt16BE(at + 2), bytes.toString('utf8', at + 4, at + 2 + length)];
  }
  return undefined;
};

/** Ends both sides as two peers would do it that have seen a close frame. */
function hangUp({ client, server }: BareRelay): void {
  client.end();
  server.end();
}

/** The frames of a client without their keys. */
function unmasked(bytes: Buffer): { opcode: number; payload: string; bytes: Buffer; mask: number }[] {
  const frames = [];
  for (let at = 0; at < bytes.length; ) {
    const long = (bytes[at + 1]! & 127) === 126;
    const length = long ? bytes.readUInt16BE(at + 2) : bytes[at + 1]! & 127;
    const start = at + (long ? 8 : 6);
    const mask = bytes.readUInt32BE(start - 4);
    const plain = testFrame({ opcode: 2, payload: bytes.subarray(start, start + length), mask });
    const payload = plain.subarray(plain.length - length);
    frames.push({ opcode: bytes[at]! & 15, payload: payload.toString('utf8'), bytes: payload, mask });
    at = start + length;
  }
  return frames;
}

const allowing = (allow: (text: string | undefined) => boolean): RelayRules['client'] => ({
  authorize: (message) =>
    allow(message.kind === 'text' ? message.text : undefined)
      ? { action: 'allow' }
      : { action: 'deny', reason: 'not allowed by rule 3' },
});

describe('a side without rules', () => {
  test('passes as it is, frame by frame, before a message has ended', async (t) => {
    const { client, server } = await bareRelay(t);
    const sent = Buffer.concat([
      fromClient({ opcode: OPCODE.text, payload: 'a', fin: false }),
      fromClient({ opcode: OPCODE.ping, payload: 'p' }),
      fromClient({ opcode: OPCODE.continuation, payload: 'x'.repeat(70_000), fin: false }),
    ]);
    client.write(sent);
    const got = await readBytes(server, sent.length);
    const ping = unmasked(got.subarray(7, 14));
    assert.deepEqual([ping[0]!.opcode, ping[0]!.payload], [OPCODE.ping, 'p']);
    assert.deepEqual(got.subarray(0, 7), sent.subarray(0, 7));
    assert.deepEqual(got.subarray(14), sent.subarray(14));
  });

  test('passes what had come along with the handshake first', async (t) => {
    const frame = fromClient(text('early'));
    const { client, server } = await bareRelay(t, { early: { client: frame.subarray(0, 5) } });
    client.write(frame.subarray(5));
    assert.deepEqual(await readBytes(server, frame.length), frame);
  });

  test('does not pass what is no WebSocket, and each side learns what it must', async (t) => {
    const joined = await bareRelay(t);
    joined.client.write('GET / HTTP/1.1\r\n\r\n');
    const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.equal(lastWords(toClient)?.[0], 1002);
    assert.match(lastWords(toClient)![1], /^from the client: /);
    assert.deepEqual(
      unmasked(toServer).map(({ bytes }) => bytes.readUInt16BE(0)),
      [1001],
    );
    const { end } = await joined.relay.done;
    assert.deepEqual([end.kind, end.kind === 'fault' && [end.from, end.code]], ['fault', ['client', 1002]]);
  });

  test('of a server that is no WebSocket closes the client with 1014', async (t) => {
    const joined = await bareRelay(t);
    joined.server.write(fromClient(text('masked')));
    const [toClient] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.deepEqual(lastWords(toClient), [1014, 'from the server: a masked frame of a server']);
    await joined.relay.done;
  });

  test('is broken off where a fault of the other side meets half a frame', async (t) => {
    const joined = await bareRelay(t);
    const half = fromClient({ opcode: OPCODE.binary, payload: 'x'.repeat(100) }).subarray(0, 50);
    joined.client.write(half);
    await readBytes(joined.server, half.length);
    joined.server.write(Buffer.from('ff', 'hex'));
    const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.equal(lastWords(toClient)?.[0], 1014);
    assert.equal(toServer.length, 0);
    await joined.relay.done;
  });
});

describe('messages of a client that are read', () => {
  test('go out one frame each, with another mask', async (t) => {
    const { client, server, budget } = await bareRelay(t, { rules: { client: allowing(() => true) } });
    client.write(
      Buffer.concat([
        fromClient({ opcode: OPCODE.text, payload: Buffer.from('h\u00e9').subarray(0, 2), fin: false }),
        fromClient({ opcode: OPCODE.ping, payload: 'p' }),
        fromClient({ opcode: OPCODE.continuation, payload: Buffer.from('h\u00e9').subarray(2) }),
      ]),
    );
    const frames = unmasked(await readBytes(server, 7 + 9));
    assert.deepEqual(
      frames.map(({ opcode, payload }) => [opcode, payload]),
      [
        [OPCODE.ping, 'p'],
        [OPCODE.text, 'h\u00e9'],
      ],
    );
    assert.ok(frames.every(({ mask }) => mask !== KEY));
    assert.equal(budget.taken, 0);
  });

  test('are refused with 1008, before a byte of them reaches the server', async (t) => {
    const rules = { client: allowing((said) => said !== 'delete') };
    const joined = await bareRelay(t, { rules });
    joined.client.write(Buffer.concat(['list', 'delete', 'list'].map((each) => fromClient(text(each)))));
    const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.deepEqual(lastWords(toClient), [1008, 'not allowed by rule 3']);
    const [list, end, ...more] = unmasked(toServer);
    assert.deepEqual([list?.payload, end?.opcode, more.length], ['list', OPCODE.close, 0]);
    // The server learns that, and not why.
    assert.deepEqual(end?.bytes, closePayload(1008, ''));
    const result = await joined.relay.done;
    assert.deepEqual(result.end, { kind: 'refused', from: 'client', reason: 'not allowed by rule 3' });
    assert.deepEqual(result.messages, { client: 1, server: 0 });
    assert.equal(joined.budget.taken, 0);
  });

  test('wait for a decision, and later ones and control frames for them', async (t) => {
    const asked: string[] = [];
    const answers: ((verdict: MessageVerdict) => void)[] = [];
    const { client, server } = await bareRelay(t, {
      rules: {
        client: {
          authorize: (message) =>
            new Promise((resolve) => {
              asked.push(message.kind === 'text' ? message.text : '');
              answers.push(resolve);
            }),
        },
      },
    });
    client.write(
      Buffer.concat([
        fromClient(text('a')),
        fromClient({ opcode: OPCODE.ping, payload: 'p' }),
        fromClient(text('b')),
      ]),
    );
    while (answers.length < 1) await setImmediate();
    assert.deepEqual(asked, ['a']);
    answers[0]!({ action: 'allow' });
    while (answers.length < 2) await setImmediate();
    answers[1]!({ action: 'allow' });
    const frames = unmasked(await readBytes(server, 21));
    assert.deepEqual(
      frames.map(({ payload }) => payload),
      ['a', 'p', 'b'],
    );
  });

  test('whose decision fails are refused, without a word of what was thrown', async (t) => {
    const failing: RelayRules['client'][] = [
      { authorize: () => Promise.reject(new Error(SECRET)) },
      {
        authorize: () => {
          throw new Error(SECRET);
        },
      },
      { authorize: (() => undefined) as unknown as () => MessageVerdict },
      {
        rewrite: () => {
          throw new Error(SECRET);
        },
      },
    ];
    for (const client of failing) {
      const joined = await bareRelay(t, { rules: { client } });
      joined.client.write(fromClient(text('a')));
      const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
      hangUp(joined);
      assert.deepEqual(lastWords(toClient), [1011, 'a message could not be decided']);
      assert.equal(unmasked(toServer)[0]?.opcode, OPCODE.close);
      await joined.relay.done;
    }
  });

  test('get their credentials, also where the placeholder is cut by fragments', async (t) => {
    const rules: RelayRules = {
      client: { rewrite: (said) => said.replaceAll(PLACEHOLDER, SECRET) },
    };
    const { client, server } = await bareRelay(t, { rules });
    client.write(
      Buffer.concat([
        fromClient({ opcode: OPCODE.text, payload: `a ${PLACEHOLDER.slice(0, 7)}`, fin: false }),
        fromClient({ opcode: OPCODE.continuation, payload: `${PLACEHOLDER.slice(7)} b` }),
      ]),
    );
    const expected = `a ${SECRET} b`;
    const [frame] = unmasked(await readBytes(server, 6 + expected.length));
    assert.equal(frame?.payload, expected);
  });

  test('are refused where the credential is not for them', async (t) => {
    const rules: RelayRules = { client: { rewrite: () => ({ action: 'deny', reason: 'KEY is not bound' }) } };
    const joined = await bareRelay(t, { rules });
    joined.client.write(fromClient(text(PLACEHOLDER)));
    const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.deepEqual(lastWords(toClient), [1008, 'KEY is not bound']);
    assert.equal(unmasked(toServer).length, 1);
    await joined.relay.done;
  });

  test('that are binary are decided by their first frame and not held', async (t) => {
    const asked: (string | undefined)[] = [];
    const rules = { client: allowing((said) => asked.push(said) > 0) };
    const { client, server, relay, budget } = await bareRelay(t, { rules });
    const first = fromClient({ opcode: OPCODE.binary, payload: 'x'.repeat(1000), fin: false });
    client.write(first);
    assert.deepEqual(await readBytes(server, first.length), first);
    assert.equal(budget.taken, 0);
    const second = fromClient({ opcode: OPCODE.continuation, payload: 'y', fin: false });
    client.write(second);
    assert.deepEqual(await readBytes(server, second.length), second);
    assert.deepEqual(asked, [undefined]);
    // Rules that have changed are asked about the rest.
    relay.reauthorize();
    client.write(second);
    assert.deepEqual(await readBytes(server, second.length), second);
    assert.deepEqual(asked, [undefined, undefined]);
  });

  test('that are binary can be refused', async (t) => {
    const joined = await bareRelay(t, { rules: { client: allowing((said) => said !== undefined) } });
    joined.client.write(fromClient({ opcode: OPCODE.binary, payload: 'x' }));
    const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.equal(lastWords(toClient)?.[0], 1008);
    assert.equal(unmasked(toServer).length, 1);
    await joined.relay.done;
  });

  const faults: [string, number, Buffer, Parameters<typeof bareRelay>[1]][] = [
    ['not UTF-8', 1007, fromClient({ opcode: OPCODE.text, payload: Buffer.from('c3', 'hex') }), {}],
    ['a surrogate', 1007, fromClient({ opcode: OPCODE.text, payload: Buffer.from('eda080', 'hex') }), {}],
    ['too large', 1009, fromClient(text('x'.repeat(101))), { limits: { webSocketTextBytes: 100 } }],
    [
      'a binary frame too large',
      1009,
      fromClient({ opcode: OPCODE.binary, payload: 'x'.repeat(101) }),
      { limits: { webSocketBinaryBytes: 100 } },
    ],
    [
      'too many fragments',
      1002,
      Buffer.concat([
        fromClient({ opcode: OPCODE.text, fin: false }),
        fromClient({ opcode: OPCODE.continuation, fin: false }),
        fromClient({ opcode: OPCODE.continuation, fin: false }),
      ]),
      { limits: { webSocketFragments: 2 } },
    ],
    [
      'a bomb',
      1009,
      fromClient({
        opcode: OPCODE.text,
        rsv1: true,
        payload: deflateRawSync(Buffer.alloc(3_000_000, 'x'), { finishFlush: 2 }).subarray(0, -4),
      }),
      { deflate: true },
    ],
    ['beyond the budget', 1013, fromClient(text('xx')), { limits: { webSocketAssemblyBytes: 1 } }],
    [
      'never complete',
      1002,
      fromClient({ opcode: OPCODE.text, payload: 'x', fin: false }),
      { limits: { webSocketAssemblyIdleTime: 5 } },
    ],
    [
      'half a frame for ever',
      1002,
      fromClient(text('xxxxx')).subarray(0, 8),
      { limits: { webSocketAssemblyTime: 5 } },
    ],
  ];
  for (const [what, code, bytes, options] of faults) {
    test(`that are ${what} end with ${code}`, async (t) => {
      const joined = await bareRelay(t, { rules: { client: allowing(() => true) }, ...options });
      joined.client.write(bytes);
      const [toClient] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
      hangUp(joined);
      assert.equal(lastWords(toClient)?.[0], code);
      await joined.relay.done;
      assert.equal(joined.budget.taken, 0);
    });
  }

  test('give their bytes back when the client breaks off within one', async (t) => {
    const joined = await bareRelay(t, { rules: { client: allowing(() => true) } });
    joined.client.write(fromClient({ opcode: OPCODE.text, payload: 'x'.repeat(5000), fin: false }));
    while (joined.budget.taken === 0) await setImmediate();
    joined.client.resetAndDestroy();
    joined.server.resume();
    await once(joined.server, 'end');
    joined.server.end();
    assert.deepEqual((await joined.relay.done).end, { kind: 'lost', by: 'client' });
    assert.equal(joined.budget.taken, 0);
  });

  test('are held against the budget until the server takes them', async (t) => {
    const joined = await bareRelay(t, {
      rules: { client: allowing(() => true) },
      limits: { webSocketForwardTime: 50, webSocketTextBytes: 20_000_000 },
    });
    joined.server.pause();
    joined.client.write(fromClient(text('x'.repeat(15_000_000))));
    const toClient = await readAll(joined.client);
    assert.deepEqual(lastWords(toClient), [1013, 'the other side did not take a message in time']);
    joined.server.destroy();
    joined.client.end();
    await joined.relay.done;
    assert.equal(joined.budget.taken, 0);
  });
});

describe('messages of a server that are read', () => {
  test('can be refused', async (t) => {
    const joined = await bareRelay(t, { rules: { server: allowing((said) => said !== 'run this') } });
    joined.server.write(Buffer.concat([testFrame(text('hello')), testFrame(text('run this'))]));
    const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.deepEqual(toClient.subarray(0, 7), testFrame(text('hello')));
    assert.deepEqual(lastWords(toClient), [1008, 'not allowed by rule 3']);
    assert.ok(!toClient.includes('run this'));
    assert.equal(unmasked(toServer).length, 1);
    assert.deepEqual((await joined.relay.done).end, {
      kind: 'refused',
      from: 'server',
      reason: 'not allowed by rule 3',
    });
  });

  const mask = (said: string): string => said.replaceAll(SECRET, PLACEHOLDER);
  const compressed = deflateRawSync(`you said ${SECRET}`, { finishFlush: 2 }).subarray(0, -4);
  const echoes: [string, Buffer, Buffer][] = [
    ['text', testFrame(text(SECRET)), testFrame(text(PLACEHOLDER))],
    [
      'fragments',
      Buffer.concat([
        testFrame({ opcode: OPCODE.text, payload: SECRET.slice(0, 4), fin: false }),
        testFrame({ opcode: OPCODE.continuation, payload: SECRET.slice(4) }),
      ]),
      testFrame(text(PLACEHOLDER)),
    ],
    [
      'compressed text',
      testFrame({ opcode: OPCODE.text, payload: compressed, rsv1: true }),
      testFrame(text(`you said ${PLACEHOLDER}`)),
    ],
    [
      'binary that is no text',
      testFrame({ opcode: OPCODE.binary, payload: Buffer.from(`\xff\xfe${SECRET}\xff`, 'latin1') }),
      testFrame({ opcode: OPCODE.binary, payload: Buffer.from(`\xff\xfe${PLACEHOLDER}\xff`, 'latin1') }),
    ],
    [
      'a ping',
      testFrame({ opcode: OPCODE.ping, payload: SECRET }),
      testFrame({ opcode: OPCODE.ping, payload: PLACEHOLDER }),
    ],
    ['a reason to close', close(1000, SECRET), close(1000, PLACEHOLDER)],
  ];
  for (const [what, sent, got] of echoes) {
    test(`have an echoed secret taken out of ${what}`, async (t) => {
      const { client, server } = await bareRelay(t, { rules: { server: { mask } }, deflate: true });
      server.write(sent);
      assert.deepEqual(await readBytes(client, got.length), got);
    });
  }

  test('close the connection where taking secrets out fails', async (t) => {
    const joined = await bareRelay(t, {
      rules: {
        server: {
          mask: () => {
            throw new Error(SECRET);
          },
        },
      },
    });
    joined.server.write(testFrame({ opcode: OPCODE.pong, payload: SECRET }));
    const [toClient] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.equal(lastWords(toClient)?.[0], 1011);
    assert.ok(!toClient.includes(SECRET));
    await joined.relay.done;
  });
});

describe('the end', () => {
  test('is passed on as a close frame, once from each side', async (t) => {
    const joined = await bareRelay(t);
    const toServer = readAll(joined.server);
    joined.client.write(fromClient({ opcode: OPCODE.close, payload: closePayload(3001, 'bye') }));
    joined.client.write(fromClient(text('behind the end')));
    await once(joined.server, 'data');
    joined.server.write(Buffer.concat([testFrame(text('last')), close(3001)]));
    const toClient = await readAll(joined.client);
    hangUp(joined);
    assert.deepEqual(toClient, Buffer.concat([testFrame(text('last')), close(3001)]));
    const frames = unmasked(await toServer);
    assert.deepEqual(
      [frames.length, frames[0]?.opcode, frames[0]?.payload.slice(-3)],
      [1, OPCODE.close, 'bye'],
    );
    const result = await joined.relay.done;
    assert.deepEqual(result.end, { kind: 'closed', by: 'client', code: 3001 });
    assert.deepEqual(result.messages, { client: 0, server: 1 });
  });

  for (const by of ['client', 'server'] as const) {
    const other = by === 'client' ? 'server' : 'client';
    for (const how of ['end', 'resetAndDestroy'] as const) {
      test(`of a ${by} without a close frame (${how}) is one for the ${other}`, async (t) => {
        const joined = await bareRelay(t);
        const frame = by === 'client' ? fromClient(text('last')) : testFrame(text('last'));
        joined[by].write(frame);
        assert.deepEqual(await readBytes(joined[other], frame.length), frame);
        joined[by][how]();
        assert.equal((await readAll(joined[other])).length, 0);
        joined[other].end();
        assert.deepEqual((await joined.relay.done).end, { kind: 'lost', by });
      });
    }
  }

  test('is not waited for longer than the limit', async (t) => {
    const joined = await bareRelay(t, { limits: { webSocketCloseTime: 5 } });
    joined.client.write(fromClient({ opcode: OPCODE.close }));
    joined.server.resume();
    assert.deepEqual((await joined.relay.done).end, { kind: 'closed', by: 'client', code: 1005 });
  });

  test('by the proxy gives both sides its code, and the client the reason, cut where a character ends', async (t) => {
    const joined = await bareRelay(t);
    joined.relay.close(CLOSE.restart, `the policy has changed ${'\u00e9'.repeat(100)}`);
    joined.relay.close(CLOSE.internal, 'no effect');
    const [toClient, toServer] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    const [code, reason] = lastWords(toClient)!;
    assert.deepEqual([code, reason], [1012, `the policy has changed ${'\u00e9'.repeat(50)}`]);
    assert.equal(toServer.length, 8);
    const { end } = await joined.relay.done;
    assert.equal(end.kind === 'ended' && end.code, 1012);
  });

  test('comes where nothing moves', async (t) => {
    const joined = await bareRelay(t, { limits: { idleTime: 5 } });
    const [toClient] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.deepEqual(lastWords(toClient), [1001, 'nothing moved for too long']);
    await joined.relay.done;
  });

  test('comes also where the first bytes are wrong, before the other side is read', async (t) => {
    const joined = await bareRelay(t, { early: { client: Buffer.from('ff', 'hex') } });
    const [toClient] = await Promise.all([readAll(joined.client), readAll(joined.server)]);
    hangUp(joined);
    assert.equal(lastWords(toClient)?.[0], 1002);
    await joined.relay.done;
  });
});
