import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { findingEvent, type SecurityEvent } from '@openshell/audit';
import { messageOf, OpenShellError, sandboxId } from '@openshell/base';
import { certificateNames } from '@openshell/control';
import { encodeFrame, LINK_ALPN_PREFIX, LINK_VERSIONS, type StreamOpening } from '@openshell/control/link';
import { formatAuthority } from '../http/authority.ts';
import { placeOf } from '../ingress/index.ts';
import type { Limits } from '../limits.ts';
import { ignoreError } from '../relay/linger.ts';
import { reset, runsOver } from '../relay/reset.ts';
import { Tally } from '../tally.ts';
import type { Adoption } from '../tenant/adoption.ts';
import { Throttle } from '../tenant/throttle.ts';
import { readCertificates } from '../tls/pem.ts';
import type { LinkDirectory } from './directory.ts';
import { readFirstFrame } from './opening.ts';
import { LinkSession } from './session.ts';

/** Who shows what to whom, as PEM texts. */
export interface LinkCertificates {
  /** What the proxy shows to nodes. */
  readonly certPem: string;
  readonly keyPem: string;
  /** Who signs the certificates of nodes. Nobody else's are accepted. */
  readonly clientCaPem: string;
}

export interface LinkOptions extends LinkCertificates {
  /** Where nodes connect to; or a server that listens already (handed over by another process), which is closed with the link. */
  readonly listen: { readonly host: string; readonly port: number } | Server;
  readonly directory: LinkDirectory;
  /** What programs in sandboxes have to trust: `AuthorityRing`. A change is said by `directory.authorityChanged()`. */
  readonly authority: () => Promise<{ readonly bundlePem: string }>;
  readonly limits: Limits;
  /** Told of who was turned away. Must not throw and must not wait. */
  readonly events?: (event: SecurityEvent) => void;
}

export interface LinkServer extends AsyncDisposable {
  readonly address: AddressInfo;
  /** For connections from now on; those that are open stay. Throws `link_certificate`, and goes on with the last ones. */
  renew(certificates: LinkCertificates): void;
  /** Takes no new connections and ends sessions. Connections of sandboxes are their tenants', and go on until those end them. */
  close(): Promise<void>;
}

/** Events of the link that are about no tenant. */
const LINK_ID = sandboxId('link');
const BACKLOG = 4096;

/**
 * Listens for nodes. Throws `listen_failed`, or `link_certificate` where certificate, key or authority cannot be used.
 */
export async function serveLink(options: LinkOptions): Promise<LinkServer> {
  const tls = tlsServer(options);
  const { listen } = options;
  const server = 'port' in listen ? createTcpServer({ allowHalfOpen: true, noDelay: true }) : listen;
  const link = new Link(options, tls, server);
  if ('port' in listen) {
    const { host, port } = listen;
    try {
      await once(server.listen({ host, port, backlog: BACKLOG }), 'listening');
    } catch (cause) {
      throw new OpenShellError(
        `cannot listen for nodes on ${formatAuthority(host, port)}: ${messageOf(cause)}`,
        {
          code: 'listen_failed',
          remedy: 'Choose an address of this machine and a port that is free and permitted.',
          cause,
        },
      );
    }
  }
  return link;
}

function tlsServer(options: LinkOptions): TlsServer {
  return usable(() =>
    createTlsServer({
      ...{ ...contextOf(options), requestCert: true, rejectUnauthorized: true },
      ...{ allowHalfOpen: true, handshakeTimeout: options.limits.linkHandshakeTime },
      // Where nothing is common the node's own is agreed upon, and all that is said in it is what we speak.
      ALPNCallback: ({ protocols }) =>
        LINK_VERSIONS.find((version) => protocols.includes(version)) ??
        protocols.find((protocol) => protocol.startsWith(LINK_ALPN_PREFIX)),
    }),
  );
}

const contextOf = ({ certPem, keyPem, clientCaPem }: LinkCertificates): SecureContextOptions => ({
  ...{ cert: certPem, key: keyPem, minVersion: 'TLSv1.3' },
  // Node.js takes a text without a certificate for an authority that has signed nothing.
  ca: readCertificates(clientCaPem, 'the authority of nodes').map(String),
});

function usable<T>(make: () => T): T {
  try {
    return make();
  } catch {
    // The cause is left out on purpose: it may be about the text of a key.
    throw new OpenShellError('the certificate, the key or the client authority of the link cannot be used', {
      code: 'link_certificate',
      remedy:
        'Give PEM files: a certificate with its unencrypted key, and the authority that signs the nodes.',
    });
  }
}

class Link implements LinkServer {
  readonly #options: LinkOptions;
  readonly #server: Server;
  readonly #tls: TlsServer;
  #handshakes = 0;
  readonly #handshakesFrom = new Tally();
  /** By certificate. */
  readonly #spare = new Tally();
  readonly #sessionsOfNode = new Tally();
  /** By certificate and sandbox: a node that names somebody else's takes no room from that one's own. */
  readonly #sessionsOfSandbox = new Tally();
  /** Everything that is no tenant's. */
  readonly #own = new Set<Socket>();
  readonly #turnedAway: Throttle<string>;
  #closed = false;

  constructor(options: LinkOptions, tls: TlsServer, server: Server) {
    this.#options = options;
    this.#server = server;
    this.#tls = tls;
    const { refusalKinds: maxKinds, refusalWindow: windowMs } = options.limits;
    this.#turnedAway = new Throttle({ maxKinds, windowMs, emit: (why, count) => this.#report(why, count) });
    server.on('connection', this.#accept);
    // Running out of descriptors must not end the process; Node goes on accepting by itself.
    server.on('error', ignoreError);
    tls.on('secureConnection', (socket) => {
      this.#serve(socket).catch((thrown: unknown) => {
        socket.destroy();
        this.#turnAway(messageOf(thrown));
      });
    });
    tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      socket.destroy();
      this.#turnAway(error.code ?? 'the handshake failed');
    });
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  renew(certificates: LinkCertificates): void {
    usable(() => this.#tls.setSecureContext(contextOf(certificates)));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.off('connection', this.#accept);
    this.#server.on('connection', (socket: Socket) => socket.on('error', ignoreError).destroy());
    for (const socket of this.#own) socket.destroy();
    // Not waited for: the server counts connections that are tenants' by now, and these end when they end.
    if (this.#server.listening) this.#server.close();
    this.#turnedAway.flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #accept = (socket: Socket): void => {
    socket.on('error', ignoreError);
    const { linkHandshakes, linkHandshakesPerAddress } = this.#options.limits;
    const from = placeOf(socket.remoteAddress ?? '');
    const isRoom = this.#handshakes < linkHandshakes;
    if (!isRoom || !this.#handshakesFrom.take(from, linkHandshakesPerAddress)) {
      socket.destroy();
      this.#turnAway('too many handshakes');
      return;
    }
    this.#handshakes += 1;
    this.#own.add(socket);
    let done = false;
    const settle = (): void => {
      if (done) return;
      done = true;
      this.#handshakes -= 1;
      this.#handshakesFrom.giveBack(from);
      this.#own.delete(socket);
    };
    socket.once('close', settle);
    handshakeOf.set(socket, settle);
    this.#tls.emit('connection', socket);
  };

  async #serve(socket: TLSSocket): Promise<void> {
    const { _parent: carrier } = socket as TLSSocket & { readonly _parent?: Socket };
    if (carrier !== undefined) {
      handshakeOf.get(carrier)?.();
      runsOver(socket, carrier);
    }
    socket.on('error', ignoreError);
    if (this.#closed) {
      socket.destroy();
      return;
    }
    const node = this.#recognise(socket);
    if (node === undefined) return;
    const { limits } = this.#options;
    if (!this.#spare.take(node.key, limits.linkSpare)) {
      socket.destroy();
      return this.#turnAway('too many connections that are not used');
    }
    this.#own.add(socket);
    const result = await readFirstFrame(socket, limits.linkSpareTime);
    this.#spare.giveBack(node.key);
    if (result.kind !== 'opening') {
      this.#own.delete(socket);
      socket.destroy();
      if (result.kind === 'fault') this.#turnAway(result.detail);
      return;
    }
    const { opening, frames } = result;
    if (opening.kind === 'stream') {
      this.#own.delete(socket);
      const rest = frames.rest();
      if (rest.length > 0) socket.unshift(rest);
      return this.#handOver(socket, opening, node.names);
    }
    socket.once('close', () => this.#own.delete(socket));
    const { directory, authority } = this.#options;
    const { tenant } = opening;
    if (!this.#admitSession(socket, node.key, tenant)) {
      socket.destroy();
      return this.#turnAway('too many sessions');
    }
    new LinkSession({
      ...{ socket, frames, tenant, names: node.names, directory },
      authority: async () => (await authority()).bundlePem,
      queueBytes: limits.linkQueueBytes,
    });
  }

  #admitSession(socket: TLSSocket, node: string, tenant: string): boolean {
    const { linkSessions, linkSessionsOfNode } = this.#options.limits;
    const ofSandbox = `${node} ${tenant}`;
    if (!this.#sessionsOfNode.take(node, linkSessionsOfNode)) return false;
    const admitted = this.#sessionsOfSandbox.take(ofSandbox, linkSessions);
    if (!admitted) this.#sessionsOfNode.giveBack(node);
    else
      socket.once('close', () => {
        this.#sessionsOfSandbox.giveBack(ofSandbox);
        this.#sessionsOfNode.giveBack(node);
      });
    return admitted;
  }

  /** Who the node is, by its certificate; undefined when it was turned away. */
  #recognise(socket: TLSSocket): Node | undefined {
    const certificate = socket.getPeerX509Certificate();
    const agreed = socket.alpnProtocol;
    if (typeof agreed === 'string' && !LINK_VERSIONS.includes(agreed)) {
      socket.end(encodeFrame({ kind: 'unsupported', speaks: LINK_VERSIONS }));
      socket.once('finish', () => socket.destroy());
      socket.setTimeout(this.#options.limits.lingerTime, () => socket.destroy());
      this.#turnAway('no version of the link in common');
      return undefined;
    }
    // A resumed session is not verified again, and its certificate may have expired meanwhile.
    const isCurrent = certificate !== undefined && certificate.validToDate.getTime() > Date.now();
    if (!socket.authorized || !isCurrent || agreed === false) {
      socket.destroy();
      this.#turnAway(agreed === false ? 'it speaks no version of the link' : 'its certificate is not valid');
      return undefined;
    }
    return { key: certificate.fingerprint256, names: certificateNames(certificate) };
  }

  #handOver(socket: TLSSocket, opening: StreamOpening, names: readonly string[]): void {
    const found = this.#options.directory.find(opening.tenant, names);
    if (found === undefined) {
      reset(socket);
      this.#turnAway('it speaks for a sandbox that is not its own, or not registered');
      return;
    }
    found.tenant.adopt(socket, adoptionOf(opening));
  }

  #turnAway(why: string): void {
    this.#turnedAway.add(why, why);
  }

  #report(why: string, count: number): void {
    this.#options.events?.(
      findingEvent({
        sandbox: LINK_ID,
        uid: 'link-turned-away',
        title: 'A connection of a node was turned away',
        description: why,
        severity: 'medium',
        action: 'denied',
        unmapped: { count },
      }),
    );
  }
}

interface Node {
  /** Fingerprint of its certificate. */
  readonly key: string;
  readonly names: readonly string[];
}

/** What ends the counting of a handshake, by the connection below TLS. */
const handshakeOf = new WeakMap<Socket, () => void>();

const adoptionOf = ({ adapter, flow, name, evidence }: StreamOpening): Adoption =>
  adapter === 'explicit'
    ? { kind: 'explicit', flow, evidence }
    : { kind: 'transparent', flow, name, evidence };
