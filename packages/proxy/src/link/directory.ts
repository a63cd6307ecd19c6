import type { Refusal } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { LinkGeneration } from '@openshell/control/link';
import type { Tenant } from '../tenant/tenant.ts';

/** What the link uses of a tenant. */
export type LinkedTenantParts = Pick<Tenant, 'adopt' | 'lookUp'>;

/** What is in force for a tenant, but for whom to trust, which is the proxy's. */
export type LinkedGeneration = Omit<LinkGeneration, 'authorityPem'>;

/** A tenant whose sandbox is on a node. */
export interface LinkedTenant {
  /** Names (URI or DNS subject alternative names) of the certificates that may speak for it: its `certificate` recognitions. */
  readonly certificates: readonly string[];
  readonly tenant: LinkedTenantParts;
  /** Absent: nothing was installed yet. */
  readonly installed?: LinkedGeneration | undefined;
}

/** Told of what concerns one tenant id. Must not throw and must not wait. */
export interface LinkWatcher {
  /** Registered, removed, or under another generation. */
  changed(): void;
  refused(refusal: Refusal): void;
}

/**
 * The tenants that nodes may speak for. Whoever registers tenants says what is the case; the link asks. An id that is
 * registered and one that is not look the same to a certificate that may not speak for it.
 */
export class LinkDirectory {
  readonly #tenants = new Map<SandboxId, LinkedTenant>();
  readonly #watchers = new Map<SandboxId, Set<LinkWatcher>>();

  /** Registers a tenant, or says what is in force for it now. */
  set(id: SandboxId, tenant: LinkedTenant): void {
    this.#tenants.set(id, tenant);
    this.#tell(id, (watcher) => watcher.changed());
  }

  delete(id: SandboxId): void {
    if (this.#tenants.delete(id)) this.#tell(id, (watcher) => watcher.changed());
  }

  /** Passes a refusal on to the person at the node. */
  refused(id: SandboxId, refusal: Refusal): void {
    this.#tell(id, (watcher) => watcher.refused(refusal));
  }

  /** The authorities that clients have to trust have changed. */
  authorityChanged(): void {
    for (const id of this.#watchers.keys()) this.#tell(id, (watcher) => watcher.changed());
  }

  /** The tenant, where a certificate with one of these names may speak for it. */
  find(id: SandboxId, names: readonly string[]): LinkedTenant | undefined {
    const found = this.#tenants.get(id);
    return found?.certificates.some((name) => names.includes(canonical(name))) === true ? found : undefined;
  }

  /** Returns the function that ends it. */
  watch(id: SandboxId, watcher: LinkWatcher): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id);
    };
  }

  #tell(id: SandboxId, act: (watcher: LinkWatcher) => void): void {
    for (const watcher of this.#watchers.get(id) ?? []) act(watcher);
  }
}

/** As `namesOf` gives it: the letter case of a DNS name says nothing, that of a URI may. */
const canonical = (name: string): string => (name.includes(':') ? name : name.toLowerCase());
