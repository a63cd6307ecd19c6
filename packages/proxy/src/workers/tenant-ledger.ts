import type { SandboxId } from '@openshell/base';
import {
  type Applied,
  type ApplyOrder,
  ControlRefusal,
  type ProxyStatus,
  type TenantReport,
  type TenantSpec,
  tenantHash,
} from '@openshell/control';
import { type ResolvedParts, resolveParts } from '../control/generation/resolve-parts.ts';
import type { SourceKinds } from '../credentials/source-kinds.ts';
import type { WorkerOrder } from './protocol.ts';
import { added, NOTHING_YET, past, type TenantNumbers } from './sums.ts';

/** A generation that workers have, with everything that another one needs to have it, too. */
interface Installed {
  readonly applied: Applied;
  readonly parts: ResolvedParts;
  readonly sources: SourceKinds;
}

/** A tenant that workers serve. */
export class LedgerTenant {
  /** As the controller gave it. */
  readonly spec: TenantSpec;
  /** As workers get it: with ports that were chosen, and a part of each limit. */
  readonly shared: TenantSpec;
  readonly #listening: TenantReport['listening'];
  #installed: Installed | undefined;
  /** Of workers that have ended. */
  #before: TenantNumbers = NOTHING_YET;

  constructor(spec: TenantSpec, shared: TenantSpec) {
    this.spec = spec;
    this.shared = shared;
    this.#listening = shared.recognitions.flatMap((recognition) =>
      recognition.kind === 'listener' ? [{ host: recognition.host, port: recognition.port }] : [],
    );
  }

  get id(): SandboxId {
    return this.spec.id;
  }

  get applied(): Applied | undefined {
    return this.#installed?.applied;
  }

  get policyName(): string {
    return this.#installed?.parts.policy.name ?? '';
  }

  /** A worker has installed it. */
  installed(order: ApplyOrder, sources: SourceKinds, applied: Applied): void {
    const parts = resolveParts(order.parts, this.#installed?.parts);
    this.#installed = { applied, parts, sources };
  }

  /** What brings a worker that has nothing to what is in force. Undefined: nothing is. */
  replay(): WorkerOrder | undefined {
    if (this.#installed === undefined) return undefined;
    const { applied, parts, sources } = this.#installed;
    const { policy, credentials, routes, secrets } = parts;
    const order: ApplyOrder = {
      tenant: this.id,
      parts: {
        policy: { kind: 'text', ...policy },
        ...(credentials && { credentials: { kind: 'text', ...credentials } }),
        ...(routes && { routes: { kind: 'text', ...routes } }),
        ...(secrets && { secrets: { kind: 'values', ...secrets } }),
      },
      mode: 'install',
    };
    return { order, sources, as: applied.installed };
  }

  /** A worker has ended that had said this. */
  lose(last: ProxyStatus): void {
    this.#before = added(this.#before, past(numbersIn(last, this.id)));
  }

  report(statuses: readonly ProxyStatus[]): TenantReport {
    const numbers = statuses.reduce((sum, status) => added(sum, numbersIn(status, this.id)), this.#before);
    return {
      id: this.id,
      specHash: tenantHash(this.spec),
      installed: this.applied?.installed,
      listening: this.#listening,
      ...numbers,
    };
  }
}

/** The tenants of a proxy of several processes: what each worker has, and what one that takes another's place is told. */
export class TenantLedger {
  readonly #tenants = new Map<SandboxId, LedgerTenant>();

  [Symbol.iterator](): IterableIterator<LedgerTenant> {
    return this.#tenants.values();
  }

  has(id: SandboxId): boolean {
    return this.#tenants.has(id);
  }

  /** Throws `tenant_unknown`. */
  get(id: SandboxId): LedgerTenant {
    const tenant = this.#tenants.get(id);
    if (tenant !== undefined) return tenant;
    throw new ControlRefusal(`there is no tenant "${id}"`, {
      code: 'tenant_unknown',
      remedy: 'Register it first.',
    });
  }

  add(tenant: LedgerTenant): void {
    this.#tenants.set(tenant.id, tenant);
  }

  delete(id: SandboxId): void {
    this.#tenants.delete(id);
  }
}

const numbersIn = ({ tenants }: ProxyStatus, id: SandboxId): TenantNumbers =>
  tenants.find((tenant) => tenant.id === id) ?? NOTHING_YET;
