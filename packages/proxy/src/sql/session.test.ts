import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { describe, test } from 'node:test';
import { startupPacket, TLS_REQUEST } from './startup.ts';
import { SqlProxy, type SqlProxyOptions } from './test-support/sql-proxy.ts';
import { bind, execute, greeting, int32, parse, query, sync, WirePeer } from './test-support/wire-peer.ts';
import { cString, errorResponse, message } from './wire.ts';

const READY = message('Z', Buffer.from('I'));
const USER = new Map([['user', 'someone']]);

interface World extends AsyncDisposable {
  readonly proxy: SqlProxy;
  /** A new client, and the server's end of the connection made for it, when it has one. */
  connect(): Promise<WirePeer>;
  accept(): Promise<WirePeer>;
}

/** A proxy between a client and a server that this test both plays. */
async function world(options: Partial<SqlProxyOptions> = {}): Promise<World> {
  const accepted: WirePeer[] = [];
  const waiting: ((peer: WirePeer) => void)[] = [];
  const clients: WirePeer[] = [];
  const listener: Server = createServer((socket) => {
    const peer = new WirePeer(socket);
    const wake = waiting.shift();
    if (wake === undefined) accepted.push(peer);
    else wake(peer);
    all.push(peer);
  });
  const all: WirePeer[] = [];
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const proxy = await SqlProxy.start({ serverPort: (listener.address() as AddressInfo).port, ...options });
  return {
    proxy,
    async connect() {
      const socket = connect(proxy.port, '127.0.0.1');
      await once(socket, 'connect');
      const peer = new WirePeer(socket);
      clients.push(peer);
      return peer;
    },
    async accept() {
      const peer = accepted.shift() ?? (await new Promise<WirePeer>((resolve) => waiting.push(resolve)));
      assert.deepEqual(await peer.bytes(8), TLS_REQUEST);
      peer.send(Buffer.from('N'));
      return peer;
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of [...clients, ...all]) socket.destroy();
      listener.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** A session that is ready for statements. */
async function session(options: Partial<SqlProxyOptions> = {}, settings: Record<string, string> = {}) {
  const there = await world(options);
  const client = await there.connect();
  client.send(startupPacket(USER, 0));
  const server = await there.accept();
  const startup = await server.packet();
  server.send(greeting(settings));
  await client.until('Z');
  return {
    ...there,
    client,
    server,
    startup,
    proxy: there.proxy,
    [Symbol.asyncDispose]: () => there[Symbol.asyncDispose](),
  };
}

const textOf = (bytes: Buffer): string => bytes.toString('latin1').replaceAll('\0', '|');
/** What a server answers to something that is no SQL. */
const syntaxError = (bytes: Buffer): Buffer => {
  const [token] = /openshell_refused_[0-9a-f]+/.exec(bytes.toString('latin1')) ?? [];
  assert.ok(token, 'the substitute has a token');
  const text = `syntax error at or near "${token}"`;
  return errorResponse({ severity: 'ERROR', sqlState: '42601', message: text });
};

describe('the start of a connection', () => {
  test('an answer about encryption by GSSAPI is no', async () => {
    await using there = await world();
    const client = await there.connect();
    client.send(Buffer.from([0, 0, 0, 8, 4, 210, 22, 48]));
    assert.equal((await client.bytes(1)).toString(), 'N');
  });

  const refused: [string, Buffer, RegExp][] = [
    [
      'bytes in the clear behind a request for TLS',
      Buffer.concat([TLS_REQUEST, startupPacket(USER, 0)]),
      /did not wait/,
    ],
    [
      'a replication connection',
      startupPacket(new Map([...USER, ['replication', 'database']]), 0),
      /replication/,
    ],
    ['a protocol of the future', startupPacket(USER, 9), /protocol 3.9/],
    ['an extension of the protocol', startupPacket(new Map([...USER, ['_pq_.x', '1']]), 0), /extension/],
    ['no user', startupPacket(new Map([['database', 'x']]), 0), /no user/],
    [
      'an encoding with two readings',
      startupPacket(new Map([...USER, ['client_encoding', 'SJIS']]), 0),
      /two readings/,
    ],
    [
      'strings with two readings',
      startupPacket(new Map([...USER, ['options', '-c standard_conforming_strings=off']]), 0),
      /two readings/,
    ],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /does not begin/],
    [
      'a packet with something left over',
      Buffer.concat([int32(12), int32(196608), Buffer.from('\0abc')]),
      /malformed/,
    ],
  ];
  for (const [what, bytes, reason] of refused) {
    test(`refuses ${what}, and says so`, async () => {
      await using there = await world();
      const client = await there.connect();
      client.send(bytes);
      const [error] = await client.until('E');
      assert.match(textOf(error!.bytes), reason);
      assert.match(textOf(error!.bytes), /FATAL/);
      await client.ended();
      assert.equal(there.proxy.records[0]?.kind, 'refused');
    });
  }

  test('for read-only access the server is asked to refuse writes as well', async () => {
    await using there = await session({ readOnly: true });
    assert.match(textOf(there.startup), /default_transaction_read_only\|on\|/);
  });

  test('an encoding with two readings that the server reports ends the connection', async () => {
    await using there = await world();
    const client = await there.connect();
    client.send(startupPacket(USER, 0));
    const server = await there.accept();
    await server.packet();
    server.send(greeting({ client_encoding: 'GBK' }));
    const heard = await client.until('E');
    assert.match(textOf(heard.at(-1)!.bytes), /two readings/);
  });

  test('a statement before the authentication is not passed on', async () => {
    await using there = await world();
    const client = await there.connect();
    client.send(startupPacket(USER, 0));
    const server = await there.accept();
    await server.packet();
    client.send(query('select 1'));
    server.send(message('R', int32(3)));
    const heard = await client.until('E');
    assert.match(textOf(heard.at(-1)!.bytes), /before the authentication/);
    assert.equal(await server.next(), undefined);
  });
});

describe('a session', () => {
  test('reads what the client says however it is cut', async () => {
    const said = Buffer.concat([
      ...[parse('a', 'select 1'), bind('', 'a'), execute(''), sync(), query('select 2')],
      ...[message('d', Buffer.from('data')), message('c'), message('X')],
    ]);
    for (let cut = 1; cut < said.length; cut += 3) {
      await using there = await session();
      there.client.socket.setNoDelay(true);
      there.client.send(said.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      there.client.send(said.subarray(cut));
      const heard = await there.server.until('X');
      assert.equal(heard.map(({ type }) => type).join(''), 'PBESQdcX');
      assert.deepEqual(Buffer.concat(heard.map(({ bytes }) => bytes)), said);
    }
  });

  test('a refusal of Query takes its turn among the answers of a pipelining client', async () => {
    await using there = await session({ effects: ['read'] });
    there.client.send(query('select 1'), query('delete from t'), query('select 2'));
    const first = (await there.server.next())!;
    const second = (await there.server.next())!;
    const third = (await there.server.next())!;
    assert.match(textOf(first.bytes), /select 1/);
    assert.doesNotMatch(textOf(second.bytes), /delete/);
    assert.match(textOf(third.bytes), /select 2/);
    const done = message('C', cString('SELECT 1'));
    there.server.send(done, READY, syntaxError(second.bytes), READY, done, READY);
    const heard = [
      ...(await there.client.until('Z')),
      ...(await there.client.until('Z')),
      ...(await there.client.until('Z')),
    ];
    assert.equal(heard.map(({ type }) => type).join(''), 'CZEZCZ');
    const error = textOf(heard[2]!.bytes);
    assert.match(error, /C42501\|MOpenShell: DELETE is not allowed\|DDecided by access.\|HAsk.\|/);
    assert.doesNotMatch(error, /openshell_refused|syntax/);
  });

  test('a refused Parse makes the server skip the rest of the batch', async () => {
    await using there = await session({ effects: ['read'] });
    there.client.send(
      parse('', 'select 1'),
      bind('', ''),
      execute(''),
      parse('x', 'drop table t'),
      bind('', 'x'),
      execute(''),
      sync(),
    );
    const heard = await there.server.until('S');
    assert.equal(heard.map(({ type }) => type).join(''), 'PBEPBES');
    assert.doesNotMatch(Buffer.concat(heard.map(({ bytes }) => bytes)).toString(), /drop/);
    there.server.send(
      message('1'),
      message('2'),
      message('C', cString('SELECT 1')),
      syntaxError(heard[3]!.bytes),
      READY,
    );
    const answers = await there.client.until('Z');
    assert.equal(answers.map(({ type }) => type).join(''), '12CEZ');
    assert.match(textOf(answers[3]!.bytes), /DROP TABLE is not allowed/);
  });

  test('a refusal that the server skipped itself is not told', async () => {
    await using there = await session({ effects: ['read'] });
    there.client.send(parse('', 'select wrong'), parse('', 'drop table t'), sync());
    await there.server.until('S');
    there.server.send(
      errorResponse({ severity: 'ERROR', sqlState: '42703', message: 'no such column' }),
      READY,
    );
    const answers = await there.client.until('Z');
    assert.match(textOf(answers[0]!.bytes), /no such column/);
  });

  const ended: [string, Buffer, RegExp][] = [
    ['an unknown message', message('!'), /type 0x21/],
    ['a password after the login', message('p', cString('x')), /no place/],
    ['a Query without an end', message('Q', Buffer.from('select 1')), /malformed/],
    ['a Query with a second text', message('Q', cString('select 1'), cString('drop table t')), /malformed/],
    [
      'a Parse with too few types',
      message('P', cString(''), cString('select 1'), Buffer.from([0, 3])),
      /malformed/,
    ],
    [
      'a Bind whose value ends too late',
      message('B', cString(''), cString(''), Buffer.from([0, 0, 0, 1, 0, 0, 0, 9])),
      /malformed/,
    ],
    ['an impossible length', Buffer.from([0x51, 0, 0, 0, 3]), /impossible length/],
    ['a negative length', Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff]), /impossible length/],
    ['a text beyond the limit', Buffer.from([0x51, 0, 0, 0xff, 0xff]), /longer than/],
  ];
  for (const [what, bytes, reason] of ended) {
    test(`ends over ${what}`, async () => {
      await using there = await session({ limits: { sqlTextBytes: 1000 } });
      there.client.send(bytes);
      const [error] = await there.client.until('E');
      assert.match(textOf(error!.bytes), reason);
      assert.equal(await there.server.next(), undefined);
    });
  }

  test('ends where the sandbox may hold no more in memory, and gives back what it held', async () => {
    await using there = await session({ limits: { heldBytes: 1000 } });
    const text = query(`select '${'x'.repeat(2000)}'`);
    there.client.send(text.subarray(0, 900));
    while (there.proxy.held.taken === 0) await new Promise(setImmediate);
    there.client.send(text.subarray(900, 1100));
    const [error] = await there.client.until('E');
    assert.match(textOf(error!.bytes), /53200.*as many bytes/s);
    assert.equal(await there.server.next(), undefined);
    assert.equal(there.proxy.held.taken, 0);
  });

  test('a function call by its number is refused, and the session goes on', async () => {
    await using there = await session();
    there.client.send(message('F', int32(1), Buffer.alloc(6)));
    const heard = (await there.server.next())!;
    assert.equal(heard.type, 'Q');
    there.server.send(syntaxError(heard.bytes), READY);
    assert.equal((await there.client.until('Z')).map(({ type }) => type).join(''), 'EZ');
  });

  test('an empty query needs no permission', async () => {
    await using there = await session({ effects: [] });
    there.client.send(query(' -- ping\n;'));
    assert.equal((await there.server.next())?.type, 'Q');
    assert.deepEqual(there.proxy.records, []);
  });

  test('backslashes in strings are refused once the server has said that they may be escapes', async () => {
    await using there = await session({}, { standard_conforming_strings: 'off' });
    there.client.send(query("select '\\'; drop table t; --'"));
    assert.doesNotMatch(textOf((await there.server.next())!.bytes), /drop/);
    assert.deepEqual(there.proxy.refused, ['malformed']);
  });

  test('bytes that are not UTF-8 are refused', async () => {
    await using there = await session();
    there.client.send(query(Buffer.from('select "\xff"', 'latin1')));
    await there.server.next();
    assert.deepEqual(there.proxy.refused, ['malformed']);
  });

  test('a decision that comes later holds back what follows', async () => {
    await using there = await session({ effects: ['read'], slowly: true });
    there.client.send(query('delete from t'), query('select 1'), message('X'));
    const heard = await there.server.until('X');
    assert.match(textOf(heard[0]!.bytes), /openshell_refused/);
    assert.match(textOf(heard[1]!.bytes), /select 1/);
  });

  test('a server that is not the protocol ends the connection', async () => {
    await using there = await session();
    there.server.send(Buffer.from('HTTP/1.1 200 OK\r\n'));
    const [error] = await there.client.until('E');
    assert.match(textOf(error!.bytes), /not the protocol/);
  });

  test('more waiting messages than there may be end the connection', async () => {
    await using there = await session({ limits: { sqlPipeline: 10 } });
    there.client.send(...Array.from({ length: 12 }, () => sync()));
    const [error] = await there.client.until('E');
    assert.match(textOf(error!.bytes), /more than 10 statements/);
  });
});

describe('a change of policy', () => {
  const prepare = async (there: Awaited<ReturnType<typeof session>>): Promise<void> => {
    there.client.send(parse('old', 'delete from t'), sync());
    await there.server.until('S');
    there.server.send(message('1'), READY);
    await there.client.until('Z');
  };

  test('does not ask again while it is the same', async () => {
    await using there = await session();
    await prepare(there);
    there.client.send(bind('', 'old'), execute(''), sync());
    await there.server.until('S');
    assert.equal(there.proxy.records.length, 1);
  });

  test('asks again about what was prepared, and refuses its use', async () => {
    await using there = await session();
    await prepare(there);
    there.proxy.generation = 2;
    there.proxy.effects = ['read'];
    there.client.send(bind('', 'old'), execute(''), sync());
    const heard = await there.server.until('S');
    assert.match(textOf(heard[0]!.bytes), /^P.*openshell_refused/);
    assert.equal(there.proxy.refused[0], 'DELETE');
  });

  test('goes on with what is still allowed, asked about once', async () => {
    await using there = await session();
    await prepare(there);
    there.proxy.generation = 2;
    for (let i = 0; i < 2; i++) {
      there.client.send(bind('', 'old'), execute(''), sync());
      assert.equal((await there.server.until('S')).map(({ type }) => type).join(''), 'BES');
    }
    assert.equal(there.proxy.records.length, 2);
  });

  test('a statement that the server skipped does not stand for the one before it', async () => {
    await using there = await session();
    await prepare(there);
    there.proxy.generation = 2;
    there.proxy.effects = ['read'];
    // The first fails at the server, so that the name still means the old statement.
    there.client.send(parse('', 'select wrong'), parse('old', 'select 1'), sync());
    await there.server.until('S');
    there.server.send(errorResponse({ severity: 'ERROR', sqlState: '42703', message: 'no' }), READY);
    await there.client.until('Z');
    there.client.send(bind('', 'old'), execute(''), sync());
    assert.match(textOf((await there.server.next())!.bytes), /openshell_refused/);
  });

  test("reaches SQL's own EXECUTE, and portals that were bound before", async () => {
    await using there = await session();
    there.client.send(query('prepare p as delete from t'));
    await there.server.next();
    there.server.send(READY);
    await there.client.until('Z');
    await prepare(there);
    there.client.send(bind('portal', 'old'), sync());
    await there.server.until('S');
    there.proxy.generation = 2;
    there.proxy.effects = ['read'];
    there.client.send(query('execute p'));
    assert.match(textOf((await there.server.next())!.bytes), /openshell_refused/);
    there.client.send(execute('portal'), sync());
    assert.match(textOf((await there.server.next())!.bytes), /openshell_refused/);
  });
});

describe('a cancellation', () => {
  const cancel = (key: Buffer): Buffer => Buffer.concat([int32(16), int32(80_877_102), int32(77), key]);

  test('reaches the server for a session that runs through here, until that ends', async () => {
    await using there = await session();
    const canceller = await there.connect();
    canceller.send(cancel(int32(1)));
    const server = await there.accept();
    assert.equal((await server.packet()).readUInt32BE(), 80_877_102);
    server.socket.end();
    await canceller.ended();
    there.server.socket.end();
    await there.client.ended();
    const late = await there.connect();
    late.send(cancel(int32(1)));
    await late.ended();
    assert.deepEqual(there.proxy.records, [
      {
        kind: 'refused',
        code: 'sql_cancel',
        reason: 'a cancellation of something that does not run through here',
      },
    ]);
  });

  test('does not for any other key', async () => {
    await using there = await session();
    const stranger = await there.connect();
    stranger.send(cancel(int32(2)));
    await stranger.ended();
    assert.equal(there.proxy.records[0]?.kind, 'refused');
  });
});
