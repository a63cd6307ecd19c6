import { OpenShellError } from '@openshell/base';
import { Lookups, lookupSlots } from './destination/lookups.ts';
import type { OperatorOverrides } from './destination/overrides.ts';
import type { OwnListeners } from './destination/own-listeners.ts';
import { type Resolver, systemResolver } from './destination/resolver.ts';
import { type Limits, limitsWith } from './limits.ts';
import { once } from './once.ts';
import { type SharedParts, Tenant, type TenantOptions } from './tenant/tenant.ts';
import type { AuthorityRing } from './tls/authority-ring.ts';
import type { TracingOptions } from './tracing/options.ts';
import type { UpstreamOptions } from './upstream/opener.ts';

export interface EgressProxyOptions {
  /** The machine's own resolver, when absent. */
  readonly resolver?: Resolver;
  readonly overrides: OperatorOverrides;
  readonly limits?: Partial<Limits>;
  /** Where the program itself listens: no policy leads there. */
  readonly own?: OwnListeners | undefined;
  /** Who signs for the hosts whose TLS is opened, or where to get it, asked once, when it is first needed. Made in memory, where absent. */
  readonly authority?: AuthorityRing | (() => AuthorityRing | Promise<AuthorityRing>);
  /** Whom to trust and which way to go to upstreams. The machine's own authorities and no proxy, when absent. */
  readonly upstream?: UpstreamOptions;
  /** Whether spans are made, and what upstreams are told of traces. No, and nothing, when absent. */
  readonly tracing?: TracingOptions | undefined;
}

/** The egress data plane of one process. Serves any number of sandboxes, which share nothing but the process. */
export class EgressProxy {
  readonly #authority: () => Promise<AuthorityRing>;
  readonly #shared: SharedParts;
  readonly #lookups: Lookups;
  readonly #tenants = new Map<string, Tenant>();
  readonly #firstAuthority = Promise.withResolvers<AuthorityRing>();
  #closed = false;

  constructor(options: EgressProxyOptions) {
    const { resolver = systemResolver, overrides, authority, own } = options;
    const limits = limitsWith(options.limits);
    this.#authority = once(async () => {
      const ring =
        authority === undefined
          ? (await import('./tls/authority-ring.ts')).AuthorityRing.inMemory()
          : typeof authority === 'function'
            ? await authority()
            : authority;
      this.#firstAuthority.resolve(ring);
      return ring;
    });
    if (typeof authority === 'object') this.#firstAuthority.resolve(authority);
    const { upstream, tracing } = options;
    this.#lookups = new Lookups({
      resolver,
      slots: lookupSlots(process.env.UV_THREADPOOL_SIZE),
      tenants: () => this.#tenants.size,
      maxWaiting: limits.lookupsWaiting,
      waitMs: limits.resolveTime,
    });
    this.#shared = {
      planner: { resolver, overrides, limits, own },
      proxy: upstream?.proxy,
      tracing,
      inspectors: once(async () => {
        const { Inspectors } = await import('./inspect/inspector.ts');
        return new Inspectors({ limits, authority: await this.#authority(), upstream });
      }),
    };
  }

  /** Whom clients have to trust. To make a new authority takes some 15 ms, so nobody asks who opens nothing. */
  authority(): Promise<AuthorityRing> {
    return this.#authority();
  }

  /** The same as soon as there is one: from the start, or when somebody has asked for it. */
  get authorityNeeded(): Promise<AuthorityRing> {
    return this.#firstAuthority.promise;
  }

  /** Serves a sandbox from this moment on. Throws `proxy_closed` or `tenant_exists`. */
  addTenant(options: TenantOptions): Tenant {
    if (this.#closed) throw new OpenShellError('the proxy is closed', { code: 'proxy_closed' });
    if (this.#tenants.has(options.id)) {
      throw new OpenShellError(`the proxy already serves a sandbox ${options.id}`, {
        code: 'tenant_exists',
        remedy: 'Close that one first, or give this one another id.',
      });
    }
    const planner = { ...this.#shared.planner, resolver: this.#lookups.lane() };
    const tenant = new Tenant(options, { ...this.#shared, planner }, () => this.#tenants.delete(options.id));
    this.#tenants.set(options.id, tenant);
    return tenant;
  }

  /** Closes every tenant. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#tenants.values()].map((tenant) => tenant.close()));
  }
}
