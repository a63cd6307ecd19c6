import type { Refusal, SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import { ControlRefusal, type Recognition, type TenantSpec } from '@openshell/control';
import type { EvidenceSource } from '../../evidence.ts';
import type { Limits } from '../../limits.ts';
import type { LinkDirectory } from '../../link/index.ts';
import { Generations, type GenerationsOptions } from '../../operator/generations.ts';
import type { EgressProxy } from '../../proxy.ts';
import { policyAlone } from '../../tenant/settings.ts';
import type { Tenant } from '../../tenant/tenant.ts';
import { NOTHING_INSTALLED_ENGINE } from '../generation/nothing-installed.ts';
import { closeAll, type Listen, listenOnAll } from './listen.ts';
import { ServedTenant } from './served-tenant.ts';
import type { TenantBook } from './tenant-book.ts';

/** Recognises tenants at listeners that they share. */
export interface SharedRecognition {
  /** Throws `recognition_taken`. Answers with what ends it. */
  add(tenant: Tenant, recognitions: readonly Recognition[]): () => void;
}

/** Is told of the tenants that nodes may speak for. */
export type TenantLink = Pick<LinkDirectory, 'set' | 'delete' | 'refused' | 'authorityChanged'>;

export interface RegistrarOptions {
  readonly proxy: EgressProxy;
  readonly book: TenantBook;
  readonly generations: Omit<GenerationsOptions, 'limits'>;
  readonly limits: Limits;
  readonly listen: Listen;
  readonly shared?: SharedRecognition;
  readonly link?: TenantLink;
  readonly events: (tenant: SandboxId, event: SecurityEvent) => boolean;
  readonly refusals?: (refusal: Refusal, tenant: SandboxId) => void;
  readonly now: () => number;
}

/** Nobody can tell programs apart that are on another machine; what the link brings comes with each connection. */
const NO_EVIDENCE: EvidenceSource = {
  identify: async () => ({ kind: 'unknown', reason: 'this proxy is not told which program connects' }),
};

/** Makes tenants, whole or not at all, and takes them away again. */
export class Registrar {
  readonly #options: RegistrarOptions;

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** Throws `tenant_exists`, `too_many_tenants`, `recognition_taken`, `tenant_invalid`, `listen_failed`. */
  async register(spec: TenantSpec): Promise<ServedTenant> {
    const { book } = this.#options;
    this.#requireDoors(spec);
    book.reserve(spec);
    try {
      const served = await this.#make(spec);
      book.add(served);
      this.#tellLink(served);
      return served;
    } catch (thrown) {
      book.free(spec.id);
      throw thrown;
    }
  }

  /** Resolves when nothing is left of it. Throws `tenant_unknown`. */
  async remove(id: SandboxId): Promise<void> {
    const { book } = this.#options;
    const served = book.remove(id);
    try {
      await served.close();
    } finally {
      book.free(id);
    }
  }

  async #make(spec: TenantSpec): Promise<ServedTenant> {
    const { proxy, generations, limits, listen, shared, link, events, refusals, now } = this.#options;
    const { id, recognitions } = spec;
    const own = recognitions.filter((recognition) => recognition.kind === 'listener');
    const servers = await listenOnAll(own, listen);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => closeAll(servers));
    const tenant = proxy.addTenant({
      id,
      listeners: { connect: servers },
      evidence: NO_EVIDENCE,
      settings: policyAlone(NOTHING_INSTALLED_ENGINE),
      events: (event) => events(id, event),
      refusals: (refusal) => {
        refusals?.(refusal, id);
        link?.refused(id, refusal);
      },
      limits: spec.limits,
    });
    undo.defer(() => tenant.close());
    const forget = shared?.add(tenant, recognitions.filter(isShared));
    undo.move();
    return new ServedTenant({
      spec,
      tenant,
      servers,
      generations: new Generations({ ...generations, limits }),
      maxWaiting: limits.controlChanges,
      stopListening: () => void closeAll(servers),
      forget: () => {
        forget?.();
        link?.delete(id);
      },
      now,
    });
  }

  #tellLink(served: ServedTenant): void {
    const { link } = this.#options;
    const certificates = served.spec.recognitions.flatMap((recognition) =>
      recognition.kind === 'certificate' ? [recognition.name] : [],
    );
    if (link === undefined || certificates.length === 0) return;
    const { id, tenant } = served;
    link.set(id, { certificates, tenant });
    served.onInstalled(({ report: { generation, policyHash }, environment }) =>
      link.set(id, { certificates, tenant, installed: { generation, policyHash, environment } }),
    );
  }

  /** A tenant that nothing could ever be recognised as would be a mistake that nobody sees. */
  #requireDoors({ id, recognitions }: TenantSpec): void {
    const { shared, link } = this.#options;
    for (const recognition of recognitions) {
      if (isShared(recognition) && shared === undefined)
        throw new ControlRefusal(
          `tenant "${id}" is to be recognised by its ${recognition.kind}, and this proxy has no listener that tenants share`,
          { code: 'tenant_invalid', remedy: 'Start the proxy with --listen, or give the tenant a listener.' },
        );
      if (recognition.kind === 'certificate' && link === undefined)
        throw new ControlRefusal(
          `tenant "${id}" is to be recognised by a certificate, and this proxy serves no nodes`,
          { code: 'tenant_invalid', remedy: 'Start the proxy with --link.' },
        );
    }
  }
}

/** At listeners that tenants share. */
const isShared = ({ kind }: Recognition): boolean => kind === 'source' || kind === 'credentials';
