import { OpenShellError } from '@openshell/base';
import type { OperatorOverrides } from './destination/overrides.ts';
import type { Planner } from './destination/plan.ts';
import { type Resolver, systemResolver } from './destination/resolver.ts';
import { type Limits, limitsWith } from './limits.ts';
import { Tenant, type TenantOptions } from './tenant/tenant.ts';

export interface EgressProxyOptions {
  /** The machine's own resolver, when absent. */
  readonly resolver?: Resolver;
  readonly overrides: OperatorOverrides;
  readonly limits?: Partial<Limits>;
}

/** The egress data plane of one process. Serves any number of sandboxes, which share nothing but the process. */
export class EgressProxy {
  readonly #planner: Planner;
  readonly #tenants = new Map<string, Tenant>();
  #closed = false;

  constructor({ resolver = systemResolver, overrides, limits }: EgressProxyOptions) {
    this.#planner = { resolver, overrides, limits: limitsWith(limits) };
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
    const tenant = new Tenant(options, this.#planner, () => this.#tenants.delete(options.id));
    this.#tenants.set(options.id, tenant);
    return tenant;
  }

  /** Closes every tenant. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#tenants.values()].map((tenant) => tenant.close()));
  }
}
