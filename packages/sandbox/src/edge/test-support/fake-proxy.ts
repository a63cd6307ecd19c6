import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { encodeFrame, FrameReader, LINK_VERSIONS, type Opening, readOpening } from '@openshell/control/link';
import type { LinkIdentity, ProxyAddress } from '../dial.ts';

/** One certificate that is proxy, node and authority in one. */
export function selfSigned(): LinkIdentity {
  const directory = mkdtempSync(join(tmpdir(), 'openshell-edge-'));
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const subject = ['-subj', '/CN=both', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-keyout', 'key', '-out', 'cert'], {
      cwd: directory,
      stdio: 'pipe',
    });
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
    return { caPem: read('cert'), certPem: read('cert'), keyPem: read('key') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What a node has opened, once it has said what for. */
export interface Opened {
  readonly opening: Opening;
  readonly socket: TLSSocket;
  /** Bytes of a session. */
  readonly frames: FrameReader;
}

/** Accepts what nodes open, and does with it what a test says. */
export class FakeProxy implements AsyncDisposable {
  readonly address: ProxyAddress;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** TLS connections so far. */
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  static async start(
    { caPem, certPem, keyPem }: LinkIdentity,
    onOpened: (opened: Opened) => void,
    { port = 0, versions = LINK_VERSIONS }: { port?: number; versions?: readonly string[] } = {},
  ): Promise<FakeProxy> {
    const server = createServer({
      ...{
        ca: caPem,
        cert: certPem,
        key: keyPem,
        requestCert: true,
        minVersion: 'TLSv1.3',
        allowHalfOpen: true,
      },
      ALPNCallback: ({ protocols }) => protocols[0],
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const proxy = new FakeProxy(server);
    server.on('connection', (socket: Socket) => {
      proxy.#sockets.add(socket);
      socket.once('close', () => proxy.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket) => {
      proxy.connections += 1;
      socket.on('error', () => {});
      if (typeof socket.alpnProtocol === 'string' && !versions.includes(socket.alpnProtocol)) {
        socket.end(encodeFrame({ kind: 'unsupported', speaks: versions }));
        return;
      }
      const frames = new FrameReader();
      const onData = (bytes: Buffer): void => {
        frames.push(bytes);
        const frame = frames.next();
        if (frame === undefined) return;
        socket.off('data', onData);
        socket.pause();
        onOpened({ opening: readOpening(frame.value), socket, frames });
      };
      socket.on('data', onData);
    });
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
