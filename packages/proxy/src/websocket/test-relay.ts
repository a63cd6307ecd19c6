import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { RequestMessage } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { type Limits, limitsWith } from '../limits.ts';
import { ByteBudget } from '../tenant/byte-budget.ts';
import { checkUpgradeRequest, checkUpgradeResponse, offerFields, sessionFields } from './handshake.ts';
import { relayWebSocket, type WebSocketRelay } from './relay.ts';
import type { RelayRules } from './rules.ts';

export interface RelayOptions {
  readonly rules?: RelayRules;
  readonly deflate?: boolean;
  readonly limits?: Partial<Limits>;
  readonly early?: { readonly client?: Buffer; readonly server?: Buffer };
}

/** A relay between two bare sockets: what the tests write is what is on the wire. */
export interface BareRelay {
  readonly client: Socket;
  readonly server: Socket;
  readonly relay: WebSocketRelay;
  readonly budget: ByteBudget;
  /** Bytes that the relay holds for either side at this moment. */
  held(): number;
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function socketPair(t: TestContext): Promise<[outer: Socket, inner: Socket]> {
  const listener = createServer({ allowHalfOpen: true });
  const port = await listening(t, listener);
  const outer = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [inner] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  for (const socket of [outer, inner]) {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
  }
  return [outer, inner];
}

const NOTHING = Buffer.alloc(0);

export async function bareRelay(t: TestContext, options: RelayOptions = {}): Promise<BareRelay> {
  const limits = limitsWith(options.limits);
  const budget = new ByteBudget(limits.webSocketAssemblyBytes);
  const [client, innerClient] = await socketPair(t);
  const [server, innerServer] = await socketPair(t);
  const relay = relayWebSocket({
    client: { socket: innerClient, early: options.early?.client ?? NOTHING },
    upstream: { socket: innerServer, early: options.early?.server ?? NOTHING },
    rules: options.rules ?? {},
    deflate: options.deflate ?? false,
    limits,
    budget,
  });
  const held = (): number =>
    [innerClient, innerServer].reduce((sum, each) => sum + each.writableLength + each.readableLength, 0);
  return { client, server, relay, budget, held };
}

/** Everything that comes until the other side ends. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return Buffer.concat(chunks);
}

/** The next so many bytes. */
export async function readBytes(socket: Socket, count: number): Promise<Buffer> {
  let bytes: Buffer = NOTHING;
  while (bytes.length < count) {
    const more = socket.read() as Buffer | null;
    if (more === null) await once(socket, 'readable');
    else bytes = Buffer.concat([bytes, more]);
  }
  if (bytes.length > count) socket.unshift(bytes.subarray(count));
  return bytes.subarray(0, count);
}

/** A small gateway that does what the pipeline does with an upgrade, for real clients and servers. */
export interface Gateway {
  readonly url: string;
  readonly budget: ByteBudget;
  /** Of the first connection. */
  readonly relay: Promise<WebSocketRelay>;
}

export async function gateway(t: TestContext, upstreamPort: number, options: RelayOptions): Promise<Gateway> {
  const limits = limitsWith(options.limits);
  const budget = new ByteBudget(limits.webSocketAssemblyBytes);
  const first = Promise.withResolvers<WebSocketRelay>();
  const rules = options.rules ?? {};
  const port = await listening(
    t,
    createServer({ allowHalfOpen: true }, async (client) => {
      t.after(() => client.destroy());
      client.on('error', () => {});
      const asked = await readHead(client);
      const upgrade = checkUpgradeRequest(requestOf(asked.lines), rules);
      assert.ok(upgrade.kind === 'offer');
      const upstream = connect({ port: upstreamPort, host: '127.0.0.1', allowHalfOpen: true });
      upstream.on('error', () => {});
      const fields = offerFields(fieldsOf(asked.lines), upgrade.offer);
      upstream.write(renderHead(asked.lines[0]!, fields));
      const answered = await readHead(upstream);
      const head = { status: 101, fields: fieldsOf(answered.lines) };
      const result = checkUpgradeResponse(head, upgrade.offer, rules);
      assert.ok(result.kind === 'session', JSON.stringify(result));
      const answer = sessionFields(head.fields, upgrade.offer, result.session);
      client.write(renderHead('HTTP/1.1 101 Switching Protocols', answer));
      const relay = relayWebSocket({
        client: { socket: client, early: asked.rest },
        upstream: { socket: upstream, early: answered.rest },
        rules,
        deflate: result.session.deflate !== undefined,
        limits,
        budget,
      });
      first.resolve(relay);
    }),
  );
  return { url: `ws://127.0.0.1:${port}/`, budget, relay: first.promise };
}

async function readHead(socket: Socket): Promise<{ lines: string[]; rest: Buffer }> {
  let bytes: Buffer = NOTHING;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0)
      return { lines: bytes.toString('latin1', 0, end).split('\r\n'), rest: bytes.subarray(end + 4) };
    const more = socket.read() as Buffer | null;
    if (more === null) await once(socket, 'readable');
    else bytes = Buffer.concat([bytes, more]);
  }
}

const fieldsOf = (lines: readonly string[]): HeaderField[] =>
  lines.slice(1).map((line) => {
    const [name = '', value = ''] = line.split(/:\s*(.*)/s);
    return { name, lowerName: name.toLowerCase(), value };
  });

const requestOf = (lines: readonly string[]): RequestMessage => ({
  method: 'GET',
  target: '/',
  scheme: 'http',
  authority: 'example.com',
  version: '1.1',
  fields: fieldsOf(lines),
  expectsContinue: false,
  upgrade: 'websocket',
});

const renderHead = (line: string, fields: readonly HeaderField[]): string =>
  `${[line, ...fields.map(({ name, value }) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`;
