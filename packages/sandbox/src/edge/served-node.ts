import type { Server, Socket } from 'node:net';
import { messageOf } from '@openshell/base';
import { LINK_FRAME_BYTES, type LinkFlow, type StreamOpening } from '@openshell/control/link';
import type { Evidence } from '@openshell/policy';
import { DnsFront, DnsService, dnsLimits, isSynthetic, SyntheticNames } from '@openshell/proxy/dns';
import type { ServedSandbox } from '../supervise.ts';
import { carry } from './carry.ts';
import { ignoreError, resetSocket } from './dial.ts';
import { flowOf } from './flow.ts';
import { EDGE_LIMITS } from './limits.ts';
import type { ProxyLink } from './proxy-link.ts';

/** What else is in an opening, at most: everything but the evidence. */
const OPENING_BYTES = 2048;

/**
 * The sandbox's listeners on a node without a proxy: what comes in goes over the link as it is, with who asked and the name that its address
 * stands for. Nothing is decided or read here; what cannot go over the link is reset.
 */
export class ServedNode {
  readonly #sandbox: ServedSandbox;
  readonly #link: ProxyLink;
  readonly #names: SyntheticNames;
  readonly #dns: DnsService;
  readonly #clients = new Set<Socket>();
  #closed = false;

  constructor(sandbox: ServedSandbox, link: ProxyLink) {
    this.#sandbox = sandbox;
    this.#link = link;
    const limits = dnsLimits();
    this.#names = new SyntheticNames(limits.dnsNames);
    const front = new DnsFront({
      names: this.#names,
      maxBytes: limits.dnsMessageBytes,
      couldAllow: (name, type) => link.mayKnow(name, type),
      // The proxy says it, to us too.
      onRefused: () => {},
    });
    const { connect, capture, dns } = sandbox.listeners;
    this.#dns = new DnsService(front, dns, limits);
    for (const server of connect) this.#serve(server, 'explicit');
    for (const server of capture) this.#serve(server, 'transparent');
  }

  async close(): Promise<void> {
    this.#closed = true;
    const { connect, capture } = this.#sandbox.listeners;
    for (const client of this.#clients) resetSocket(client);
    const servers = [...connect, ...capture];
    await Promise.all([
      ...servers.map((server) => new Promise<void>((done) => server.close(() => done()))),
      this.#dns.close(),
    ]);
  }

  #serve(server: Server, adapter: StreamOpening['adapter']): void {
    // Running out of descriptors must not end the process; Node goes on accepting by itself.
    server.on('error', ignoreError);
    server.on('connection', (client: Socket) => {
      client.on('error', ignoreError);
      client.setNoDelay(true);
      if (this.#closed || this.#clients.size >= EDGE_LIMITS.connections) {
        resetSocket(client);
        return;
      }
      this.#clients.add(client);
      client.once('close', () => this.#clients.delete(client));
      void this.#carry(client, adapter).catch(() => resetSocket(client));
    });
  }

  async #carry(client: Socket, adapter: StreamOpening['adapter']): Promise<void> {
    const flow = flowOf(client);
    if (flow === undefined) {
      client.destroy();
      return;
    }
    // Now: while it is found out who asks, the name could be forgotten.
    const name = adapter === 'transparent' ? this.#nameOf(flow.serverAddress) : undefined;
    const evidence = fitting(await this.#identify(flow));
    const link = await this.#link.open({ adapter, flow, evidence, ...(name !== undefined && { name }) });
    if (link === undefined) {
      resetSocket(client);
      return;
    }
    await carry(client, link);
  }

  /** Never waits longer than the proxy itself would. */
  #identify(flow: LinkFlow): Promise<Evidence> {
    const { promise, resolve } = Promise.withResolvers<Evidence>();
    const unknown = (reason: string): void => resolve({ kind: 'unknown', reason });
    const time = EDGE_LIMITS.evidenceTime;
    const timer = setTimeout(() => unknown(`identification took over ${time} ms`), time);
    this.#sandbox.evidence.identify(flow).then(resolve, (thrown: unknown) => unknown(messageOf(thrown)));
    return promise.finally(() => clearTimeout(timer));
  }

  #nameOf(address: string): string | undefined {
    return isSynthetic(address) ? this.#names.nameOf(address) : undefined;
  }
}

/** Evidence that fits in a frame. What does not is not cut: a program whose ancestors are hidden must not seem to have none. */
function fitting(evidence: Evidence): Evidence {
  if (Buffer.byteLength(JSON.stringify(evidence)) <= LINK_FRAME_BYTES - OPENING_BYTES) return evidence;
  return { kind: 'unknown', reason: 'what is known of the program is too long to be sent to the proxy' };
}
