import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { BODY_BYTES } from '../proxy/origins.ts';
import { ask, dial, finish, headOf, readBytes, statusOf } from '../proxy/wire.ts';
import { ECHO_PORT, HOSTS, HTTP_PORT, HTTPS_PORT, type World } from './world.ts';

/** One kind of connection, from its beginning to its end. Throws when it does not go as it should. */
export interface Kind {
  readonly name: string;
  /** Of a hundred connections. */
  readonly share: number;
  readonly run: (world: World, index: number) => Promise<void>;
}

const MESSAGE = Buffer.from('what is sent is what comes back');

function requireStatus(got: number, wanted: number): void {
  if (got !== wanted) throw new Error(`answered ${got} instead of ${wanted}`);
}

async function openTunnel({ way }: World, authority: string): Promise<Socket> {
  const socket = await dial(way);
  socket.write(headOf(way, 'CONNECT', authority));
  requireStatus(await statusOf(socket), 200);
  return socket;
}

async function expectEcho(socket: Socket): Promise<void> {
  socket.write(MESSAGE);
  if (!(await readBytes(socket, MESSAGE.length)).equals(MESSAGE)) throw new Error('the echo is not the same');
}

async function tunnel(world: World): Promise<void> {
  const socket = await openTunnel(world, `${HOSTS.echo}:${ECHO_PORT}`);
  await expectEcho(socket);
  await finish(socket);
}

async function inspected(world: World): Promise<void> {
  const socket = await openTls(world);
  for (const [method, status] of [
    ['GET', 200],
    ['DELETE', 403],
  ] as const) {
    socket.write(`${method} / HTTP/1.1\r\nHost: ${HOSTS.https}\r\n\r\n`);
    requireStatus(await statusOf(socket), status);
    if (status === 200) await readBytes(socket, BODY_BYTES);
  }
  await finish(socket);
}

async function openTls(world: World): Promise<TLSSocket> {
  const raw = await openTunnel(world, `${HOSTS.https}:${HTTPS_PORT}`);
  const socket = connectTls({ socket: raw, servername: HOSTS.https, secureContext: world.trust });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** RFC 1928: no authentication, then CONNECT to a name. */
async function socks({ way }: World): Promise<void> {
  const socket = await dial(way);
  socket.write(Buffer.of(5, 1, 0));
  requireStatus((await readBytes(socket, 2))[1]!, 0);
  const name = Buffer.from(HOSTS.echo);
  socket.write(Buffer.concat([Buffer.of(5, 1, 0, 3, name.length), name, Buffer.of(0, ECHO_PORT)]));
  requireStatus((await readBytes(socket, 10))[1]!, 0);
  await expectEcho(socket);
  await finish(socket);
}

async function forward({ way }: World): Promise<void> {
  requireStatus(await ask(way, 'GET', `http://${HOSTS.http}:${HTTP_PORT}/`), 200);
}

/** Request after request on one connection, each of which makes an event. */
export async function manyRequests({ way }: World, count: number): Promise<void> {
  const socket = await dial(way);
  for (let index = 0; index < count; index++) {
    socket.write(headOf(way, 'GET', `http://${HOSTS.http}:${HTTP_PORT}/`));
    requireStatus(await statusOf(socket), 200);
    await readBytes(socket, BODY_BYTES);
  }
  await finish(socket);
}

/** By the policy of connections, of requests, and for what is no request at all. */
async function refused({ way }: World, index: number): Promise<void> {
  switch (index % 3) {
    case 0: {
      const socket = await dial(way);
      socket.write(headOf(way, 'CONNECT', `${HOSTS.denied}:443`));
      requireStatus(await statusOf(socket), 403);
      return finish(socket);
    }
    case 1:
      return requireStatus(await ask(way, 'DELETE', `http://${HOSTS.http}:${HTTP_PORT}/`), 403);
    default: {
      const socket = await dial(way);
      socket.write('no request\r\n\r\n');
      requireStatus(await statusOf(socket), 400);
      return finish(socket);
    }
  }
}

/** Gone without a word: within a head, a TLS handshake, an answer, and a tunnel. */
async function reset(world: World, index: number): Promise<void> {
  const socket = await partOf(world, index % 4);
  socket.resetAndDestroy();
  if (!socket.closed) await once(socket, 'close');
}

async function partOf(world: World, part: number): Promise<Socket> {
  const { way } = world;
  switch (part) {
    case 0: {
      const socket = await dial(way);
      socket.write(headOf(way, 'GET', `http://${HOSTS.http}/`).slice(0, 20));
      return socket;
    }
    case 1: {
      const socket = await openTunnel(world, `${HOSTS.https}:${HTTPS_PORT}`);
      // A ClientHello that promises 512 bytes and has six.
      socket.write(Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3));
      return socket;
    }
    case 2: {
      const socket = await dial(way);
      socket.write(headOf(way, 'GET', `http://${HOSTS.http}:${HTTP_PORT}/large`));
      requireStatus(await statusOf(socket), 200);
      return socket;
    }
    default: {
      const socket = await openTunnel(world, `${HOSTS.echo}:${ECHO_PORT}`);
      socket.write(MESSAGE);
      return socket;
    }
  }
}

/** Of a hundred connections, in the shares of each. */
export const KINDS: readonly Kind[] = [
  { name: 'CONNECT, raw', share: 30, run: tunnel },
  { name: 'CONNECT, TLS opened', share: 25, run: inspected },
  { name: 'SOCKS5', share: 15, run: socks },
  { name: 'HTTP request', share: 15, run: forward },
  { name: 'refused', share: 10, run: refused },
  { name: 'reset by the client', share: 5, run: reset },
];

/** The kinds in an order that looks like chance and is the same each time: a step that has no divisor in common with 100 visits all. */
const STEP = 37;
const ORDER = KINDS.flatMap((kind) => Array.from({ length: kind.share }, () => kind));
export const kindOf = (index: number): Kind => ORDER[(index * STEP) % ORDER.length]!;
