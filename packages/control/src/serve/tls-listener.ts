import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { messageOf } from '@openshell/base';
import { ControlRefusal } from '../contract/refusal.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { ADMITTED, denied, type Verdict } from './admission.ts';
import { certificateNames } from './certificate-names.ts';
import type { Accept, Listener } from './listener.ts';
import type { ListenAddress, ServerTls } from './options.ts';

type TcpAddress = Extract<ListenAddress, { kind: 'tcp' }>;

/** Accepts on a TLS port: version 1.3, and with a client certificate unless there is a token instead. */
export class TlsListener implements Listener {
  readonly address: string;
  readonly #server: Server;
  readonly #isMutual: boolean;
  /** Connections that have not shown who they are yet, by where they come from. */
  readonly #handshaking = new Map<string, Socket>();
  #names: ReadonlySet<string> | undefined;

  /** Throws `request_invalid` for certificates that are none, `listen_failed`. */
  static async open({ host, port, tls }: TcpAddress, accept: Accept): Promise<TlsListener> {
    const server = serverWith(tls);
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw new ControlRefusal(`the control port ${host}:${port} cannot be opened: ${messageOf(cause)}`, {
        code: 'listen_failed',
        cause,
      });
    }
    return new TlsListener(server, tls, accept);
  }

  private constructor(server: Server, tls: ServerTls, accept: Accept) {
    this.#server = server;
    this.#isMutual = tls.clientCa !== undefined;
    this.#names = namesIn(tls);
    const { address, family, port } = server.address() as AddressInfo;
    this.address = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
    server.on('connection', (socket: Socket) => {
      const from = placeOf(socket);
      this.#handshaking.set(from, socket);
      socket.once('close', () => this.#handshaking.delete(from));
    });
    server.on('secureConnection', (socket) => {
      this.#handshaking.delete(placeOf(socket));
      const certificate = socket.getPeerX509Certificate();
      const names = certificate ? certificateNames(certificate) : [];
      accept(socket, this.#verdictOn(names, certificate), whoIs(socket, names));
    });
    // Of accepting and of handshakes: whoever it was is closed, and there is another one to accept.
    server.on('error', () => undefined);
    server.on('tlsClientError', (_, socket) => socket.destroy());
  }

  renew(tls: ServerTls): void {
    if (this.#isMutual !== (tls.clientCa !== undefined))
      throw new ControlRefusal('whether controllers need a certificate is settled when the port is opened', {
        code: 'request_invalid',
      });
    this.#server.setSecureContext(contextOf(tls));
    this.#names = namesIn(tls);
  }

  /** Connections that were passed on end where they went to. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#handshaking.values()) socket.destroy();
    await promise;
  }

  #verdictOn(names: readonly string[], certificate: X509Certificate | undefined): Verdict {
    // A resumed session is not verified again, and each gives a ticket for the next.
    if (certificate && certificate.validToDate.getTime() <= Date.now())
      return denied('the certificate has expired');
    if (!this.#names || names.some((name) => this.#names?.has(name))) return ADMITTED;
    return denied(`a certificate for ${names.join(', ') || 'nobody'} may not control this proxy`);
  }
}

const serverWith = (tls: ServerTls): Server => {
  const isMutual = tls.clientCa !== undefined;
  try {
    const server = createServer({
      ...contextOf(tls),
      ALPNProtocols: ['h2'],
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
      handshakeTimeout: CONTROL_LIMITS.handshakeTime.value,
    });
    server.maxConnections = CONTROL_LIMITS.connections.value;
    return server;
  } catch (cause) {
    throw new ControlRefusal(`the control port cannot have this certificate: ${messageOf(cause)}`, {
      code: 'request_invalid',
      cause,
    });
  }
};

const contextOf = ({ certificate, key, clientCa }: ServerTls): SecureContextOptions => ({
  cert: certificate,
  key,
  minVersion: 'TLSv1.3',
  ...(clientCa !== undefined && { ca: clientCa }),
});

/** Names of hosts do not distinguish case; URIs do. */
const namesIn = ({ clientNames }: ServerTls): ReadonlySet<string> | undefined =>
  clientNames && new Set(clientNames.map((name) => (name.includes(':') ? name : name.toLowerCase())));

const placeOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

const whoIs = ({ remoteAddress = 'somewhere' }: TLSSocket, names: readonly string[]): string =>
  names.length > 0 ? `${names.join(', ')} at ${remoteAddress}` : remoteAddress;
