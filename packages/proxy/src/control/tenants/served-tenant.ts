import type { Server } from 'node:net';
import { generation, type SandboxId } from '@openshell/base';
import {
  type Applied,
  type ApplyOrder,
  ControlRefusal,
  type InstalledGeneration,
  type TenantReport,
  type TenantSpec,
  tenantHash,
} from '@openshell/control';
import { type BuiltinEngine, compilePolicy, policyHash } from '@openshell/policy';
import type { SourceKinds } from '../../credentials/source-kinds.ts';
import type { Generation, Generations } from '../../operator/generations.ts';
import type { TenantSettings } from '../../tenant/settings.ts';
import type { Tenant } from '../../tenant/tenant.ts';
import { generationRefused, problemsOf } from '../generation/problems.ts';
import { type Environment, readParts } from '../generation/read-parts.ts';
import { type ResolvedParts, resolveParts } from '../generation/resolve-parts.ts';
import { addressesOf } from './listen.ts';
import { Turns } from './turns.ts';

/** `whole`: the process serves its tenants alone. `worker`: others serve the same ones. */
export type ProcessRole = 'whole' | 'worker';

/** What a generation is called where it was applied first. */
export type GenerationMark = Pick<InstalledGeneration, 'generation' | 'installedAt'>;

/** Who applies. */
export interface ApplyWay {
  readonly sources: SourceKinds;
  /** Of whoever started the proxy. Empty for those who may not use it. */
  readonly environment: Environment;
  readonly role: ProcessRole;
  /** Absent: the next number, and now. */
  readonly as?: GenerationMark | undefined;
}

/** What is in force. */
export interface Installed {
  readonly report: InstalledGeneration;
  readonly engine: BuiltinEngine;
  readonly settings: TenantSettings;
  /** Placeholders by variable. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What is installed, with what only the next generation needs to know of it. */
interface Held extends Installed {
  readonly parts: ResolvedParts;
  readonly sources: SourceKinds;
  readonly notices: readonly string[];
}

export interface ServedTenantOptions {
  readonly spec: TenantSpec;
  readonly tenant: Tenant;
  /** Listening for this tenant alone. */
  readonly servers: readonly Server[];
  readonly generations: Generations;
  /** Changes of one tenant that may wait for each other. */
  readonly maxWaiting: number;
  /** Closes what is the tenant's own. */
  readonly stopListening: () => void;
  /** It is recognised no longer. */
  readonly forget: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A tenant of the proxy, with the generation that its controller gave it. */
export class ServedTenant {
  readonly spec: TenantSpec;
  readonly tenant: Tenant;
  readonly #options: ServedTenantOptions;
  readonly #turns: Turns;
  readonly #onInstalled = new Set<(installed: Installed) => void>();
  readonly #specHash: string;
  #held: Held | undefined;
  #removed = false;

  constructor(options: ServedTenantOptions) {
    this.spec = options.spec;
    this.tenant = options.tenant;
    this.#options = options;
    this.#turns = new Turns(options.maxWaiting);
    this.#specHash = tenantHash(options.spec);
  }

  get id(): SandboxId {
    return this.spec.id;
  }

  /** Undefined: nothing was installed, and everything is denied. */
  get installed(): Installed | undefined {
    return this.#held;
  }

  /** As messages call it; empty where nothing is installed. */
  get policyName(): string {
    return this.#held?.parts.policy.name ?? '';
  }

  report(): TenantReport {
    const { connections, handshakes, heldBytes, counters } = this.tenant.status();
    return {
      id: this.id,
      specHash: this.#specHash,
      installed: this.#held?.report,
      listening: addressesOf(this.#options.servers),
      connections,
      handshakes,
      heldBytes,
      counters,
    };
  }

  /** Calls after each new generation, until what is answered is called. */
  onInstalled(listener: (installed: Installed) => void): () => void {
    this.#onInstalled.add(listener);
    return () => void this.#onInstalled.delete(listener);
  }

  /**
   * Applies generations in the order in which they were ordered. One with anything wrong in it leaves the last one in force. Throws
   * `generation_refused`, `generation_changed`, `part_unknown`, `request_invalid`, `tenant_unknown`.
   */
  apply(order: ApplyOrder, way: ApplyWay): Promise<Applied> {
    return this.#turns.take(() => this.#apply(order, way));
  }

  /** Closes its own listeners. Who has connected already may still be recognised, and what is open goes on. */
  stopListening(): void {
    this.#options.stopListening();
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.#removed = true;
    this.stopListening();
    this.#options.forget();
    await this.tenant.close();
    await this.#turns.settled();
    await this.#options.generations[Symbol.asyncDispose]();
  }

  async #apply({ parts, expected, mode }: ApplyOrder, way: ApplyWay): Promise<Applied> {
    this.#requirePresent();
    const held = this.#held;
    if (expected !== undefined && expected !== (held?.report.hash ?? '')) throw changed(held);
    const resolved = resolveParts(parts, held?.parts);
    // What was installed by somebody who may use the proxy's files is not the same when others push it.
    if (held !== undefined && held.report.hash === resolved.hash && held.sources === way.sources)
      return appliedOf(mode, held, true);
    const prepared = await this.#prepare(resolved, way);
    if (this.#removed || mode === 'check') prepared.discard();
    this.#requirePresent();
    if (mode === 'install') {
      this.tenant.apply(prepared.held.settings);
      prepared.commit();
      this.#held = prepared.held;
      for (const listener of this.#onInstalled) listener(prepared.held);
    }
    return appliedOf(mode, prepared.held, false);
  }

  async #prepare(parts: ResolvedParts, { sources, environment: own, role, as }: ApplyWay) {
    const environment = environmentOf(own, parts.secrets?.values);
    const { identity } = this.spec;
    const read = await readParts(parts, { sources, environment, identity, role });
    const number = as?.generation ?? generation((this.#held?.report.generation ?? 0) + 1);
    const engine = compilePolicy(read.policy, number, { identity });
    const prepared = await this.#options.generations.prepare({
      policy: read.policy,
      engine,
      grants: { credentials: read.credentials, routes: read.routes },
      unbound: sources === 'host' && number === 1 ? 'error' : 'notice',
      environment,
    });
    if (!prepared.ok)
      throw generationRefused(
        prepared.faults.flatMap((fault) => problemsOf(fault, parts, read.credentialPlaces)),
      );
    const notices = [...read.notices, ...prepared.generation.notices];
    const installedAt = as?.installedAt ?? this.#options.now();
    const made = { ...prepared.generation, notices, installedAt };
    return { ...prepared, held: this.#hold(parts, sources, engine, made) };
  }

  #hold(
    parts: ResolvedParts,
    sources: SourceKinds,
    engine: BuiltinEngine,
    { settings, environment, notices, installedAt }: Generation & { readonly installedAt: number },
  ): Held {
    const report: InstalledGeneration = {
      tenant: this.id,
      generation: engine.generation,
      hash: parts.hash,
      parts: parts.hashes,
      policyHash: policyHash(engine.policy),
      installedAt,
    };
    return { report, engine, settings, environment, parts, sources, notices };
  }

  #requirePresent(): void {
    if (this.#removed)
      throw new ControlRefusal(`tenant "${this.id}" was removed`, { code: 'tenant_unknown' });
  }
}

/** Without what every object inherits: a variable may be called `constructor`. */
const environmentOf = (own: Environment, pushed: ReadonlyMap<string, string> = new Map()): Environment =>
  Object.assign(Object.create(null), own, Object.fromEntries(pushed));

const appliedOf = (
  mode: ApplyOrder['mode'],
  { report, environment, notices }: Held,
  unchanged: boolean,
): Applied => ({ mode, installed: report, unchanged, environment, notices });

const changed = (held: Held | undefined): ControlRefusal =>
  new ControlRefusal(
    held === undefined
      ? 'nothing is installed, and something else was expected'
      : `what is installed is generation ${held.report.generation} of hash ${held.report.hash}, and something else was expected`,
    {
      code: 'generation_changed',
      remedy: 'Look at what is installed now, and decide again.',
    },
  );
