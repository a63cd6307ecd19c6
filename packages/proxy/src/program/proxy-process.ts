import { createServer, type Server } from 'node:net';
import type { Refusal, SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { ProxyControl } from '@openshell/control';
import { type ControlView, ProxyHost } from '../control/proxy-host.ts';
import { beginListening, type Listen, listenOn } from '../control/tenants/listen.ts';
import type { ProcessRole } from '../control/tenants/served-tenant.ts';
import type { OperatorOverrides } from '../destination/overrides.ts';
import { OwnListeners } from '../destination/own-listeners.ts';
import { Ingress, TenantDirectory } from '../ingress/index.ts';
import { type Limits, limitsWith } from '../limits.ts';
import type { LinkCertificates, LinkServer } from '../link/index.ts';
import { LinkDirectory } from '../link/index.ts';
import type { MiddlewareService } from '../middleware/service/connection.ts';
import { EgressProxy } from '../proxy.ts';
import type { AuthorityRing } from '../tls/authority-ring.ts';
import type { TracingOptions } from '../tracing/options.ts';
import type { UpstreamOptions } from '../upstream/opener.ts';
import type { ActivatedSockets } from './listen/activation.ts';
import { addressOf, openListeners, type Sharing } from './listen/open.ts';
import type { Address, ListenWord } from './options/address.ts';
import type { ServedProxy } from './served-proxy.ts';

/** Where nodes with sandboxes connect to, what they are shown, and whom to believe. */
export interface LinkDoor extends LinkCertificates {
  readonly address: Address;
}

/** What one process of the proxy is made of. */
export interface ProxyProcessOptions {
  readonly version: string;
  readonly features: readonly string[];
  readonly overrides: OperatorOverrides;
  /** Absent: the machine's own authorities, and no proxy. */
  readonly upstream: UpstreamOptions;
  /** As `EgressProxyOptions` has it. */
  readonly authority?: AuthorityRing | (() => AuthorityRing | Promise<AuthorityRing>);
  readonly middlewares: readonly MiddlewareService[];
  /** Where values of credentials are for controllers that may use this machine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly tracing?: TracingOptions | undefined;
  readonly denyAll: boolean;
  readonly link?: LinkDoor | undefined;
  /** At which the program is reached besides what this process opens. */
  readonly ownPorts?: readonly number[];
  readonly role?: ProcessRole;
  /** Opens the tenants' own listeners. */
  readonly listen?: Listen;
  readonly limits?: Partial<Limits>;
  /** `false`: there was no room for it. */
  readonly events?: (event: SecurityEvent) => boolean;
  readonly refusals: (refusal: Refusal, tenant: SandboxId) => void;
}

/** One process that carries connections: the data plane, its ways in, and what steers it. The whole of the proxy, or one of its workers. */
export class ProxyProcess implements ServedProxy {
  readonly host: ProxyHost;
  /** Tells nodes that what clients have to trust has changed, and what was refused elsewhere. */
  readonly nodes = new LinkDirectory();
  readonly #options: ProxyProcessOptions;
  readonly #limits: Limits;
  readonly #own: OwnListeners;
  readonly #proxy: EgressProxy;
  readonly #ingress: Ingress;
  #certificates: LinkCertificates | undefined;
  #link: LinkServer | undefined;

  /** Serves nobody yet. */
  constructor(options: ProxyProcessOptions) {
    const { overrides, authority, tracing, limits: changes } = options;
    const { version, features, upstream, middlewares, environment, denyAll, refusals, events } = options;
    const { role, listen = listenOn } = options;
    const limits = limitsWith(changes);
    const tenants = new TenantDirectory();
    this.#options = options;
    this.#certificates = options.link;
    this.#limits = limits;
    this.#own = new OwnListeners(options.ownPorts);
    this.#proxy = new EgressProxy({
      own: this.#own,
      overrides,
      upstream,
      tracing,
      ...(changes && { limits: changes }),
      ...(authority && { authority }),
    });
    this.#ingress = new Ingress({ directory: tenants, limits, events: (event) => this.record(event) });
    this.host = new ProxyHost({
      proxy: this.#proxy,
      version,
      features,
      generations: { environment, trust: upstream.trust, middlewares },
      ...(options.limits && { limits: options.limits }),
      denyAll,
      shared: tenants,
      ...(options.link && { link: this.nodes }),
      ...(role && { role }),
      listen: async (address) => this.#counted(await listen(address)),
      stopAccepting: () => this.#stopAccepting(),
      ...(events && { events }),
      refusals,
    });
  }

  control(view: ControlView): ProxyControl {
    return this.host.control(view);
  }

  record(event: SecurityEvent): void {
    this.host.record(event);
  }

  drain(timeoutMs: number): Promise<void> {
    return this.host.drain(timeoutMs);
  }

  /** The same in one of several processes, each of which is told the same addresses. */
  async listen(
    words: readonly ListenWord[],
    activated: ActivatedSockets,
    sharing: Sharing = 'alone',
  ): Promise<readonly string[]> {
    await this.#openLink(sharing);
    const servers = await openListeners(words, activated, sharing);
    const addresses = servers.map(addressOf);
    for (const server of servers) this.#ingress.serve(this.#counted(server));
    return addresses;
  }

  get linkPort(): number | undefined {
    return this.#link?.address.port;
  }

  async renewLink(certificates: LinkCertificates): Promise<void> {
    this.#link?.renew(certificates);
    this.#certificates = certificates;
  }

  /** Ends everything that is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    void this.#stopAccepting();
    this.#ingress.destroy();
    await this.host.close();
    await this.#proxy.close();
  }

  #counted(server: Server): Server {
    this.#own.add(server);
    return server;
  }

  async #openLink(sharing: Sharing): Promise<void> {
    const { link } = this.#options;
    if (link === undefined) return;
    const { serveLink } = await import('../link/index.ts');
    this.#link = await serveLink({
      ...(this.#certificates ?? link),
      listen: sharing === 'alone' ? link.address : await listenForNodes(link.address),
      directory: this.nodes,
      authority: () => this.#proxy.authority(),
      limits: this.#limits,
      events: (event) => this.record(event),
    });
  }

  /** Resolves when those who had connected before have said whose their connections are. */
  #stopAccepting(): Promise<void> {
    void this.#link?.close();
    return this.#ingress.close();
  }
}

/** As the link itself would listen, but beside others. */
async function listenForNodes(address: Address): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await beginListening(server, address, true);
  return server;
}
