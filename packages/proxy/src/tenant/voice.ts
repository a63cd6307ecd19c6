import {
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

export interface VoiceOptions {
  readonly sandbox: SandboxId;
  readonly limits: Limits;
  /** `false`: it was not taken. Denials that are counted together are then offered again. */
  readonly events: (event: SecurityEvent) => unknown;
  readonly refusals: (refusal: Refusal) => void;
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
  readonly event: (event: SecurityEvent) => unknown;
  readonly refusal: (refusal: Refusal) => void;
  readonly #denials: DenialLedger;

  constructor({ sandbox, limits, events, refusals }: VoiceOptions) {
    this.sandbox = sandbox;
    this.event = events;
    this.refusal = refusals;
    this.#denials = new DenialLedger({
      limits,
      emit: (count) => events(denialEvent(count, sandbox)) !== false,
    });
  }

  network(intent: Intent, options: Omit<NetworkOptions, 'destination'>): void {
    this.event(
      networkEvent({
        sandbox: this.sandbox,
        process: processOf(intent.evidence),
        destination: { host: intent.host, port: intent.port },
        ...options,
      }),
    );
  }

  finding(options: Parameters<typeof findingEvent>[0]): void {
    this.event(findingEvent({ sandbox: this.sandbox, ...options }));
  }

  tell(intent: Intent, { code, reason, remedy, subject }: Why): void {
    const { host, port } = intent;
    this.refusal({ code, binary: binaryOf(intent), host, port, subject, reason, remedy });
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
