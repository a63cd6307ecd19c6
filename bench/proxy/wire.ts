import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What connects, and from where. */
export interface Way {
  readonly port: number;
  /** Who it says it is, as `Proxy-Authorization`. */
  readonly credentials?: string | undefined;
  /** The address that it comes from. */
  readonly from?: string | undefined;
}

const PATIENCE_MS = 15_000;

/** A client's connection to the proxy. Whoever asked looks after its end. */
export async function dial({ port, from }: Way): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, ...(from !== undefined && { localAddress: from }) });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('nothing came in time')));
  await once(socket, 'connect');
  socket.on('error', ignore);
  return socket;
}

/** Value of a `Proxy-Authorization` field. */
export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** A request's head, for the proxy. */
export const headOf = (
  { credentials }: Way,
  method: string,
  target: string,
  fields: readonly string[] = [],
): string => {
  const host = method === 'CONNECT' ? target : new URL(target).host;
  const proxy = credentials === undefined ? [] : [`Proxy-Authorization: ${credentials}`];
  return `${[`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...proxy, ...fields].join('\r\n')}\r\n\r\n`;
};

/** Status of the answer that comes next; its head is read, and what follows it stays. Throws where none comes. */
export async function statusOf(socket: Socket): Promise<number> {
  const head = await readHead(socket);
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
}

/** Everything up to the empty line. */
async function readHead(socket: Socket): Promise<string> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    bytes = Buffer.concat([bytes, await readSome(socket)]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) continue;
    const rest = bytes.subarray(end + 4);
    if (rest.length > 0) socket.unshift(rest);
    return bytes.toString('latin1', 0, end);
  }
}

/** So many bytes, exactly. */
export async function readBytes(socket: Socket, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) bytes = Buffer.concat([bytes, await readSome(socket)]);
  if (bytes.length > length) socket.unshift(bytes.subarray(length));
  return bytes.subarray(0, length);
}

/** What has arrived, or arrives next. Throws at the end of the connection. */
async function readSome(socket: Socket): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read() as Buffer | null;
    if (bytes !== null) return bytes;
    if (socket.readableEnded || socket.destroyed) throw socket.errored ?? new Error('the connection ended');
    const { promise, resolve } = Promise.withResolvers<void>();
    const events = ['readable', 'end', 'close'] as const;
    for (const event of events) socket.on(event, resolve);
    await promise;
    for (const event of events) socket.off(event, resolve);
  }
}

/** Ends in order, and is gone when this resolves. */
export async function finish(socket: Socket): Promise<void> {
  socket.end();
  socket.resume();
  if (!socket.closed) await new Promise<void>((done) => socket.once('close', () => done()));
}

/** One request on a connection of its own; its status. */
export async function ask(way: Way, method: string, url: string): Promise<number> {
  const socket = await dial(way);
  socket.write(headOf(way, method, url, ['Connection: close']));
  const status = await statusOf(socket);
  await finish(socket);
  return status;
}

function ignore(): void {}
