import { configEvent, networkEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { ProtocolRange } from '../contract/protocol.ts';
import type { ControllerHello, ProxyControl } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import type { ProxyStatus } from '../contract/status.ts';
import type { Recognition, TenantSpec } from '../contract/tenant.ts';
import { type ControlOperations, SessionDesk } from '../session/index.ts';
import type { ContractSubject } from './contract-subject.ts';
import { FakeAuthority } from './fake-authority.ts';
import { FakeEvents } from './fake-events.ts';
import { FakeTenant } from './fake-tenant.ts';

export interface FakeProxyOptions {
  /** What it speaks. Absent: what this build speaks. */
  readonly range?: ProtocolRange;
  readonly eventsKept?: number;
  readonly tenantsMost?: number;
}

/** A proxy in memory that nothing travels through: for tests of controllers, and of the contract itself. */
export class FakeProxy implements ContractSubject {
  readonly eventsKept: number;
  readonly tenantsMost: number;
  readonly control: ProxyControl;
  readonly desk: SessionDesk;
  readonly #tenants = new Map<SandboxId, FakeTenant>();
  readonly #events: FakeEvents;
  readonly #authority = new FakeAuthority();
  readonly #startedAt = Date.now();
  #ports = 40_000;
  #draining = false;

  constructor({ range, eventsKept = 16, tenantsMost = 8 }: FakeProxyOptions = {}) {
    this.eventsKept = eventsKept;
    this.tenantsMost = tenantsMost;
    this.desk = new SessionDesk({
      version: '0.0.0-fake',
      features: [],
      installed: () => [...this.#tenants.values()].flatMap(({ installed }) => installed ?? []),
      range,
    });
    this.#events = new FakeEvents(this.desk.instance, eventsKept);
    this.control = {
      connect: (hello, options) => this.desk.open(hello, this.#operations(hello), options),
    };
  }

  async provoke(id: SandboxId): Promise<void> {
    const tenant = this.#tenant(id);
    tenant.denied++;
    const destination = { host: 'refused.example', port: 443 };
    this.#record(tenant, networkEvent({ activity: 'refuse', destination, sandbox: id }));
  }

  async stop(): Promise<void> {
    this.desk.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #operations({ name }: ControllerHello): ControlOperations {
    return {
      registerTenant: async (spec) => this.#register(spec),
      removeTenant: async (id) => {
        this.#tenant(id);
        this.#tenants.delete(id);
      },
      apply: async (order) => {
        const tenant = this.#tenant(order.tenant);
        const applied = tenant.apply(order);
        if (order.mode === 'install' && !applied.unchanged) {
          const message = `generation ${applied.installed.generation} of ${name}`;
          this.#record(tenant, configEvent({ state: 'loaded', message, sandbox: order.tenant }));
        }
        return applied;
      },
      rotateAuthority: async (step) => this.#authority.rotate(step),
      drain: async () => {
        this.#draining = true;
      },
      status: async () => this.#status(),
      authority: async () => this.#authority.status(),
      events: (query) => this.#events.read(query),
      explain: async (query) => this.#tenant(query.tenant).explain(query),
    };
  }

  #register(spec: TenantSpec) {
    if (this.#draining) throw new ControlRefusal('the proxy is draining', { code: 'proxy_draining' });
    if (this.#tenants.has(spec.id))
      throw new ControlRefusal(`there is a tenant "${spec.id}" already`, { code: 'tenant_exists' });
    if (this.#tenants.size >= this.tenantsMost)
      throw new ControlRefusal(`there are ${this.tenantsMost} tenants already`, { code: 'too_many_tenants' });
    const keys = spec.recognitions.flatMap(keyOf);
    for (const other of this.#tenants.values())
      if (other.spec.recognitions.flatMap(keyOf).some((key) => keys.includes(key)))
        throw new ControlRefusal(`it would be taken for tenant "${other.spec.id}"`, {
          code: 'recognition_taken',
        });
    const tenant = new FakeTenant(spec, () => this.#ports++);
    this.#tenants.set(spec.id, tenant);
    return tenant.report();
  }

  #status(): ProxyStatus {
    const tenants = [...this.#tenants.values()].map((tenant) => tenant.report());
    const ready = tenants.length > 0 && tenants.every(({ installed }) => installed);
    return {
      instance: this.desk.instance,
      version: '0.0.0-fake',
      state: this.#draining ? 'draining' : ready ? 'ready' : 'denying',
      denyAll: false,
      startedAt: this.#startedAt,
      controller: this.desk.controller,
      tenants,
      workers: [
        {
          index: 0,
          pid: process.pid,
          restarts: 0,
          connections: 0,
          residentBytes: 1,
          cpuSeconds: 0.5,
          eventLoopLagMs: 0.25,
          openFiles: 3,
        },
      ],
      authorityNotAfter: undefined,
      lastEvent: this.#events.last,
    };
  }

  #tenant(id: SandboxId): FakeTenant {
    const tenant = this.#tenants.get(id);
    if (!tenant) throw new ControlRefusal(`there is no tenant "${id}"`, { code: 'tenant_unknown' });
    return tenant;
  }

  #record(tenant: FakeTenant, event: Parameters<FakeEvents['add']>[1]): void {
    tenant.events++;
    this.#events.add(tenant.spec.id, event);
  }
}

/** What nobody else may be recognised by. A certificate may speak for several. */
const keyOf = (recognition: Recognition): string[] => {
  switch (recognition.kind) {
    case 'listener':
      return recognition.port === 0 ? [] : [`listener ${recognition.host} ${recognition.port}`];
    case 'credentials':
      return [`credentials ${recognition.username}`];
    case 'source':
      return [`source ${recognition.network}`];
    case 'certificate':
      return [];
  }
};
