import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { MemorySink, type Refusal } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import type { Evidence } from '@openshell/policy';
import type { OperatorOverride } from '../destination/overrides.ts';
import type { Resolver } from '../destination/resolver.ts';
import type { EvidenceSource } from '../evidence.ts';
import type { Limits } from '../limits.ts';
import { EgressProxy } from '../proxy.ts';
import { NO_CREDENTIALS, type TenantSettings } from '../tenant/settings.ts';
import type { Tenant } from '../tenant/tenant.ts';
import type { TracingOptions } from '../tracing/options.ts';
import type { UpstreamOptions } from '../upstream/opener.ts';
import { FakeEngine, type FakeRules } from './engine.ts';

export const LOOPBACK = '127.0.0.1';

export const CURL: Evidence = {
  kind: 'process',
  pid: 12,
  executable: { path: '/usr/bin/curl', sha256: 'ab'.repeat(32), pinned: true },
  ancestors: [],
  argv: ['curl'],
};

export const portOf = (server: Server | UdpSocket): number => (server.address() as AddressInfo).port;

export interface Origin {
  readonly port: number;
  /** Every socket that was accepted, in order. */
  readonly sockets: Socket[];
}

export interface FixtureOptions extends FakeRules {
  readonly overrides?: readonly OperatorOverride[];
  readonly resolver?: Resolver;
  readonly limits?: Partial<Limits>;
  readonly evidence?: EvidenceSource;
  /** In the place of the engine that allows a list. */
  readonly settings?: TenantSettings;
  readonly upstream?: UpstreamOptions;
  readonly tracing?: TracingOptions;
  /** Where captured connections seem to have wanted to go. */
  readonly captured?: { readonly address: string; readonly port: number };
}

/** A proxy with one tenant on real sockets of this machine, and everything to take it down again. */
export class Fixture implements AsyncDisposable {
  readonly proxy: EgressProxy;
  readonly tenant: Tenant;
  readonly engine: FakeEngine;
  readonly sink = new MemorySink(10_000);
  readonly refusals: Refusal[] = [];
  readonly #servers: { connect: Server; capture: Server; dnsTcp: Server; dnsUdp: UdpSocket };
  readonly #owned: (() => void)[] = [];
  readonly #overrides: OperatorOverride[];
  /** What the next captured connection's original destination is. */
  captured: { readonly address: string; readonly port: number } | undefined;

  static async start(options: FixtureOptions): Promise<Fixture> {
    const listening = { allowHalfOpen: true, pauseOnConnect: true };
    const [connect, capture, dnsTcp] = [1, 2, 3].map(() => createServer(listening)) as [
      Server,
      Server,
      Server,
    ];
    for (const server of [connect, capture, dnsTcp]) {
      await once(server.listen({ port: 0, host: LOOPBACK, backlog: 4096 }), 'listening');
    }
    const dnsUdp = createSocket('udp4');
    dnsUdp.bind(0, LOOPBACK);
    await once(dnsUdp, 'listening');
    return new Fixture(options, { connect, capture, dnsTcp, dnsUdp });
  }

  private constructor(options: FixtureOptions, servers: Fixture['servers']) {
    this.#servers = servers;
    this.engine = new FakeEngine(options);
    this.captured = options.captured;
    servers.capture.on('connection', (socket) => this.#pretend(socket));
    const { resolver = { lookup: async () => [] }, overrides = [], limits = {} } = options;
    this.#overrides = [...overrides];
    this.proxy = new EgressProxy({
      ...{ resolver, overrides: this.#overrides, limits },
      ...(options.upstream !== undefined && { upstream: options.upstream }),
      tracing: options.tracing,
    });
    this.tenant = this.proxy.addTenant({
      id: sandboxId('box'),
      listeners: {
        connect: [servers.connect],
        capture: [servers.capture],
        dns: { udp: [servers.dnsUdp], tcp: [servers.dnsTcp] },
      },
      evidence: options.evidence ?? { identify: async () => CURL },
      settings: options.settings ?? { engine: this.engine, credentials: NO_CREDENTIALS },
      events: (event) => this.sink.write(event),
      refusals: (refusal) => this.refusals.push(refusal),
    });
  }

  get servers(): { connect: Server; capture: Server; dnsTcp: Server; dnsUdp: UdpSocket } {
    return this.#servers;
  }

  /** A server at the place where the operator says that this name lives. */
  async origin(name: string, onConnection: (socket: Socket) => void): Promise<Origin> {
    const sockets: Socket[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    await this.serves(name, server);
    return { port: portOf(server), sockets };
  }

  /** Makes a server the place where a name lives, until the fixture ends. */
  async serves(name: string, server: Server): Promise<void> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await once(server.listen(0, LOOPBACK), 'listening');
    this.#owned.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    this.#overrides.push({ name, address: LOOPBACK, toPort: portOf(server) });
  }

  /** A client connection to the explicit proxy. */
  client(): Promise<Socket> {
    return this.connectTo(portOf(this.#servers.connect));
  }

  /** A client connection that was captured. */
  capturedClient(): Promise<Socket> {
    return this.connectTo(portOf(this.#servers.capture));
  }

  async connectTo(port: number): Promise<Socket> {
    const socket = connect({ host: LOOPBACK, port, allowHalfOpen: true });
    this.#owned.push(() => socket.destroy());
    await once(socket, 'connect');
    socket.on('error', () => {});
    return socket;
  }

  /** Sends a request, and no other, to the explicit proxy and reads until the proxy closes. */
  async ask(request: string | Buffer): Promise<string> {
    const socket = await this.client();
    socket.end(request);
    return (await readAll(socket)).toString('latin1');
  }

  /** Opens a tunnel; the answer's head has been read. */
  async tunnel(authority: string): Promise<Socket> {
    const socket = await this.client();
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    await readUntil(socket, '\r\n\r\n');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close();
    for (const release of this.#owned) release();
  }

  #pretend(socket: Socket): void {
    if (this.captured === undefined) return;
    const { address, port } = this.captured;
    Object.defineProperties(socket, { localAddress: { value: address }, localPort: { value: port } });
  }
}

/** Everything until the peer ends; rejects on a reset. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.once('end', () => resolve(Buffer.concat(chunks)));
  socket.once('error', reject);
  socket.once('close', () => reject(new Error(`closed after ${Buffer.concat(chunks)}`)));
  socket.resume();
  const bytes = await promise;
  socket.end();
  return bytes;
}

/** Everything up to and including a text; the socket is paused afterwards and what came behind it is put back. */
export async function readUntil(socket: Socket, text: string): Promise<string> {
  let bytes = Buffer.alloc(0);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const at = bytes.indexOf(text);
    if (at === -1) return;
    socket.off('data', onData).off('close', onClose).off('end', onClose);
    socket.pause();
    const rest = bytes.subarray(at + text.length);
    if (rest.length > 0) socket.unshift(rest);
    resolve(bytes.toString('latin1', 0, at + text.length));
  };
  const onClose = (): void => reject(new Error(`ended after ${JSON.stringify(bytes.toString('latin1'))}`));
  socket.on('data', onData).on('close', onClose).on('end', onClose);
  socket.resume();
  return promise;
}

/** Resolves with the error code that a socket was closed with; undefined when it was closed in order. */
export async function closeReason(socket: Socket): Promise<string | undefined> {
  let code: string | undefined;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  socket.resume();
  // The other side may have ended before anybody asked.
  if (socket.readableEnded) socket.end();
  else socket.once('end', () => socket.end());
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return code ?? (socket.errored as NodeJS.ErrnoException | null)?.code;
}
