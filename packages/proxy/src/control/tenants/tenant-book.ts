import type { SandboxId } from '@openshell/base';
import { ControlRefusal, type Recognition, type TenantSpec } from '@openshell/control';
import type { ListenAddress } from './listen.ts';
import type { ServedTenant } from './served-tenant.ts';

/** The tenants of a proxy by id. An id is taken from the moment that it is asked for until nothing of its tenant is left. */
export class TenantBook {
  readonly #maxTenants: number;
  readonly #served = new Map<SandboxId, ServedTenant>();
  /** Coming, here, or going; with the addresses that they have for themselves. */
  readonly #taken = new Map<SandboxId, readonly string[]>();

  constructor(maxTenants: number) {
    this.#maxTenants = maxTenants;
  }

  [Symbol.iterator](): IterableIterator<ServedTenant> {
    return this.#served.values();
  }

  get size(): number {
    return this.#served.size;
  }

  find(id: SandboxId): ServedTenant | undefined {
    return this.#served.get(id);
  }

  /** Throws `tenant_unknown`. */
  get(id: SandboxId): ServedTenant {
    const served = this.#served.get(id);
    if (served !== undefined) return served;
    throw new ControlRefusal(`there is no tenant "${id}"`, {
      code: 'tenant_unknown',
      remedy: 'Register it first.',
    });
  }

  /** Keeps an id and its addresses for a tenant that is being made. Throws `tenant_exists`, `too_many_tenants`, `recognition_taken`. */
  reserve({ id, recognitions }: TenantSpec): void {
    if (this.#taken.has(id)) throw exists(id);
    if (this.#taken.size >= this.#maxTenants)
      throw new ControlRefusal(`the proxy has ${this.#maxTenants} tenants already`, {
        code: 'too_many_tenants',
        remedy: 'Remove some of them, or use another proxy.',
      });
    const addresses = listenAddresses(recognitions).flatMap(({ host, port }) =>
      port === 0 ? [] : [`${host} ${port}`],
    );
    for (const [other, theirs] of this.#taken)
      if (addresses.some((address) => theirs.includes(address)))
        throw new ControlRefusal(`tenant "${other}" listens at an address of tenant "${id}" already`, {
          code: 'recognition_taken',
          remedy: 'Give each tenant an address of its own.',
        });
    this.#taken.set(id, addresses);
  }

  add(served: ServedTenant): void {
    this.#served.set(served.id, served);
  }

  /** No longer a tenant; its id is still taken. Throws `tenant_unknown`. */
  remove(id: SandboxId): ServedTenant {
    const served = this.get(id);
    this.#served.delete(id);
    return served;
  }

  /** Nothing is left of it, or it did not come about. */
  free(id: SandboxId): void {
    this.#taken.delete(id);
  }
}

const listenAddresses = (recognitions: readonly Recognition[]): readonly ListenAddress[] =>
  recognitions.flatMap((recognition) =>
    recognition.kind === 'listener' ? [{ host: recognition.host, port: recognition.port }] : [],
  );

const exists = (id: SandboxId): ControlRefusal =>
  new ControlRefusal(`there is a tenant "${id}" already`, {
    code: 'tenant_exists',
    remedy: 'Remove it first, and wait for that.',
  });
