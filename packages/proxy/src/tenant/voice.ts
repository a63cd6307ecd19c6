import {
  type FindingOptions,
  findingEvent,
  type NetworkOptions,
  networkEvent,
  type Refusal,
  type SecurityEvent,
} from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Intent } from '@openshell/policy';
import type { DenialKind, DenialStage, DenialSubject } from '../denials/denial.ts';
import { denialEvent } from '../denials/denial-event.ts';
import { type AddOptions, DenialLedger } from '../denials/denial-ledger.ts';
import { processOf } from '../evidence.ts';
import type { Limits } from '../limits.ts';
import { Counters } from './counters.ts';

export interface VoiceOptions {
  readonly sandbox: SandboxId;
  readonly limits: Limits;
  /** In force at this moment. */
  readonly generation: () => number;
  /** `false`: it was not taken. Denials that are counted together are then offered again. */
  readonly events: (event: SecurityEvent) => unknown;
  /** The same for the counts of denials, which are kept where they are not taken. As `events`, when absent. */
  readonly offer?: ((event: SecurityEvent) => unknown) | undefined;
  readonly counters?: Counters | undefined;
  readonly refusals: (refusal: Refusal) => void;
}

/** What an event is about, and by what it is found again among other events, log lines and spans. */
export interface About {
  readonly intent: Intent;
  readonly traceId: string;
  /** That decided; the one in force, when absent. */
  readonly generation?: number | undefined;
}

/** Why something was not done, for a person. */
export interface Why {
  readonly code: string;
  readonly reason: string;
  readonly remedy?: string | undefined;
  /** What of the connection it was: method and path. */
  readonly subject?: string | undefined;
}

export interface Denied extends Omit<DenialKind, 'binary' | 'host' | 'port'> {
  readonly stage: DenialStage;
}

/** The ways in which a tenant's reporter speaks: events for the record, lines for the person, and the count of denials. */
export class Voice {
  readonly sandbox: SandboxId;
  readonly counters: Counters;
  readonly event: (event: SecurityEvent) => unknown;
  readonly generation: () => number;
  readonly #refusals: (refusal: Refusal) => void;
  readonly #denials: DenialLedger;

  constructor(options: VoiceOptions) {
    const { sandbox, limits, generation, events, offer = events, refusals } = options;
    this.counters = options.counters ?? new Counters();
    this.sandbox = sandbox;
    this.event = events;
    this.generation = generation;
    this.#refusals = refusals;
    this.#denials = new DenialLedger({
      limits,
      emit: (count) => offer(denialEvent(count, sandbox, generation())) !== false,
    });
  }

  network(
    { intent, traceId, generation = this.generation() }: About,
    options: Omit<NetworkOptions, 'destination'>,
  ): void {
    const { host, port, adapter } = intent;
    this.event(
      networkEvent({
        sandbox: this.sandbox,
        process: processOf(intent.evidence),
        destination: { host, port },
        traceId,
        ...options,
        unmapped: { adapter, generation, ...options.unmapped },
      }),
    );
  }

  finding({ unmapped, ...options }: FindingOptions): void {
    const generation = this.generation();
    this.event(findingEvent({ sandbox: this.sandbox, ...options, unmapped: { generation, ...unmapped } }));
  }

  /** For the person. */
  refusal(refusal: Refusal): void {
    this.#refusals({ tenant: this.sandbox, generation: this.generation(), ...refusal });
  }

  tell({ intent, traceId, generation = this.generation() }: About, why: Why): void {
    const { host, port } = intent;
    const { code, reason, remedy, subject } = why;
    const binary = binaryOf(intent);
    this.refusal({ code, binary, host, port, subject, reason, remedy, traceId, generation });
  }

  /** Counts a denial. True: it is to have an event of its own. */
  denied(
    where: Pick<Intent, 'host' | 'port'> & { readonly evidence?: Intent['evidence'] | undefined },
    denied: Denied,
    subject?: DenialSubject,
    options?: AddOptions,
  ): boolean {
    const { host, port } = where;
    return this.#denials.add({ ...denied, binary: binaryOf(where), host, port }, subject, options);
  }

  /** Reports what is still only counted. */
  close(): void {
    this.#denials.close();
  }
}

export const binaryOf = (
  from: { readonly evidence?: Intent['evidence'] | undefined } | undefined,
): string | undefined => (from?.evidence?.kind === 'process' ? from.evidence.executable.path : undefined);
