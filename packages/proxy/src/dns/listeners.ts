import type { Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import type { Limits } from '../limits.ts';
import { ignoreError } from '../relay/linger.ts';
import { reset } from '../relay/reset.ts';
import type { DnsFront } from './front.ts';

/** Lets through so many a second, in bursts of the same size. */
class RateLimit {
  readonly #perSecond: number;
  #left: number;
  #since = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  take(): boolean {
    if (this.#left > 0) {
      this.#left -= 1;
      return true;
    }
    const now = performance.now();
    if (now - this.#since < 1000) return false;
    this.#since = now;
    this.#left = this.#perSecond - 1;
    return true;
  }
}

export type DnsServiceLimits = Pick<
  Limits,
  'dnsMessageBytes' | 'dnsQueryRate' | 'dnsTcpConnections' | 'dnsTcpIdleTime'
>;

export interface DnsListeners {
  readonly udp: readonly UdpSocket[];
  readonly tcp: readonly Server[];
}

/** Connects a front to the sockets that a sandbox asks. It owns them from then on. */
export class DnsService {
  readonly #front: DnsFront;
  readonly #listeners: DnsListeners;
  readonly #limits: DnsServiceLimits;
  readonly #rate: RateLimit;
  readonly #clients = new Set<Socket>();
  #closed = false;

  constructor(front: DnsFront, listeners: DnsListeners, limits: DnsServiceLimits) {
    this.#front = front;
    this.#listeners = listeners;
    this.#limits = limits;
    this.#rate = new RateLimit(limits.dnsQueryRate);
    for (const socket of listeners.udp) this.#serveUdp(socket);
    for (const server of listeners.tcp) server.on('connection', this.#onConnection);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const client of this.#clients) client.destroy();
    const closing = [
      ...this.#listeners.udp.map((socket) => new Promise<void>((done) => closeUdp(socket, done))),
      ...this.#listeners.tcp.map((server) => new Promise<void>((done) => server.close(() => done()))),
    ];
    await Promise.all(closing);
  }

  #serveUdp(socket: UdpSocket): void {
    socket.on('message', (message, from) => {
      if (!this.#rate.take()) return;
      // A client that is gone cannot be told anything; the callback keeps the error from being thrown.
      const send = (response: Buffer): void => socket.send(response, from.port, from.address, ignoreError);
      const response = this.#front.answer(message);
      // Nor is there a socket any more after the end.
      if (response instanceof Promise) void response.then((later) => this.#closed || send(later));
      else if (response !== undefined) send(response);
    });
    // An ICMP error for an earlier answer: of no use, and no reason to stop.
    socket.on('error', ignoreError);
  }

  readonly #onConnection = (client: Socket): void => {
    if (this.#clients.size >= this.#limits.dnsTcpConnections) {
      client.on('error', ignoreError);
      reset(client);
      return;
    }
    this.#clients.add(client);
    client.once('close', () => this.#clients.delete(client));
    client.on('error', ignoreError);
    this.#serveTcp(client);
  };

  /** RFC 1035 section 4.2.2 and RFC 7766: two bytes of length before each message, several messages a connection. */
  #serveTcp(client: Socket): void {
    let pending: Buffer = Buffer.alloc(0);
    // A plain timer, renewed by whole queries only: a byte now and then does not keep the connection.
    const idle = setTimeout(() => client.destroy(), this.#limits.dnsTcpIdleTime);
    client.once('close', () => clearTimeout(idle));
    client.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        idle.refresh();
        if (!this.#answerTcp(client, pending.subarray(2, end))) return;
        pending = pending.subarray(end);
      }
      const tooLong = pending.length >= 2 && pending.readUInt16BE(0) > this.#limits.dnsMessageBytes;
      if (tooLong) client.destroy();
    });
    client.on('drain', () => client.resume());
    client.on('end', () => client.end());
    client.resume();
  }

  /** False when the connection is over. */
  #answerTcp(client: Socket, message: Buffer): boolean {
    const response = this.#rate.take() ? this.#front.answer(message) : undefined;
    if (response === undefined) {
      client.destroy();
      return false;
    }
    if (response instanceof Promise) void response.then((later) => writeFramed(client, later));
    else writeFramed(client, response);
    return true;
  }
}

function writeFramed(client: Socket, response: Buffer): void {
  if (!client.writable) return;
  const framed = Buffer.allocUnsafe(2 + response.length);
  framed.writeUInt16BE(response.length);
  response.copy(framed, 2);
  if (!client.write(framed)) client.pause();
}

function closeUdp(socket: UdpSocket, done: () => void): void {
  try {
    socket.close(done);
  } catch {
    // ERR_SOCKET_DGRAM_NOT_RUNNING: whoever made it has closed it already.
    done();
  }
}
