import type { DenialOperation } from '@openshell/policy';

/** How far what was denied had come. `capture`: a connection of a program that knows of no proxy. */
export type DenialStage = 'connect' | 'capture' | 'request' | 'message' | 'statement';

/** What denials have in common that are counted together. */
export interface DenialKind {
  readonly stage: DenialStage;
  /** Path of the executable inside the sandbox; absent where it is not known. */
  readonly binary?: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Stable: `endpoint_not_allowed`, `request_denied`, ... */
  readonly code: string;
  /** Place in the policy of what decided. */
  readonly rule?: string | undefined;
  readonly policy?: string | undefined;
  readonly protocol?: string | undefined;
  /** It came from the server. */
  readonly from?: 'server' | undefined;
}

/** What exactly was asked for. Never a query, a field or a body. */
export interface DenialSubject {
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly operations?: readonly DenialOperation[] | undefined;
}

export interface DenialSample extends DenialSubject {
  readonly count: number;
}

/** The denials of one kind since the last report of that kind. */
export interface DenialCount {
  /** Absent: all those of kinds beyond the bound. */
  readonly kind: DenialKind | undefined;
  readonly count: number;
  /** Of those, the ones that have an event of their own. */
  readonly told: number;
  /** Milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  readonly samples: readonly DenialSample[];
}
