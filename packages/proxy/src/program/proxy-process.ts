import { createServer, type Server } from 'node:net';
import type { Refusal, SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { ProxyControl } from '@openshell/control';
import { type ControlView, ProxyHost } from '../control/proxy-host.ts';
import { beginListening, type Listen } from '../control/tenants/listen.ts';
import type { ProcessRole } from '../control/tenants/served-tenant.ts';
import type { OperatorOverrides } from '../destination/overrides.ts';
import { Ingress, TenantDirectory } from '../ingress/index.ts';
import { type Limits, limitsWith } from '../limits.ts';
import type { LinkServer } from '../link/index.ts';
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

/** What is shown to nodes with sandboxes, and whom to believe; PEM texts. */
export interface LinkDoor {
  readonly address: Address;
  readonly certPem: string;
  readonly keyPem: string;
  readonly clientCaPem: string;
}

/** What one process of the proxy is made of. */
export interface ProxyProcessOptions {
  readonly version: string;
  readonly features: readonly string[];
  readonly overrides: OperatorOverrides;
  /** Absent: the machine's own authorities, and no proxy. */
  readonly upstream: UpstreamOptions;
  /** Absent: made in memory when it is first needed. */
  readonly authority?: () => AuthorityRing | Promise<AuthorityRing>;
  readonly middlewares: readonly MiddlewareService[];
  /** Where values of credentials are for controllers that may use this machine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly tracing?: TracingOptions | undefined;
  readonly denyAll: boolean;
  readonly link?: LinkDoor | undefined;
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
  readonly #proxy: EgressProxy;
  readonly #ingress: Ingress;
  #link: LinkServer | undefined;

  /** Serves nobody yet. */
  constructor(options: ProxyProcessOptions) {
    const { overrides, authority, tracing, limits: changes } = options;
    const { version, features, upstream, middlewares, environment, denyAll, refusals, events } = options;
    const { role, listen } = options;
    const limits = limitsWith(changes);
    const tenants = new TenantDirectory();
    this.#options = options;
    this.#limits = limits;
    this.#proxy = new EgressProxy({
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
      ...(listen && { listen }),
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
    for (const server of servers) this.#ingress.serve(server);
    return addresses;
  }

  get linkPort(): number | undefined {
    return this.#link?.address.port;
  }

  /** Ends everything that is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    void this.#stopAccepting();
    this.#ingress.destroy();
    await this.host.close();
    await this.#proxy.close();
  }

  async #openLink(sharing: Sharing): Promise<void> {
    const { link } = this.#options;
    if (link === undefined) return;
    const { serveLink } = await import('../link/index.ts');
    this.#link = await serveLink({
      ...link,
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
