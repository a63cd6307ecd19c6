import type { SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';

/** A place in the stream of one proxy's events. */
export interface EventCursor {
  /** Of the proxy that counted; another one counts afresh. */
  readonly instance: string;
  /** The last event that was seen; 0: none. */
  readonly sequence: number;
}

export interface EventQuery {
  /** Absent: from now on. Events of another instance or that are kept no longer are reported as a gap. */
  readonly after?: EventCursor | undefined;
  /** Absent: of all tenants. */
  readonly tenants?: readonly SandboxId[] | undefined;
  /** Only denials: refused connections and requests, and the counts of those that were alike. */
  readonly denialsOnly?: boolean | undefined;
  /** False: ends with what is there already. */
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type ControlEvent =
  | {
      readonly kind: 'event';
      readonly cursor: EventCursor;
      readonly tenant: SandboxId;
      readonly event: SecurityEvent;
    }
  /** Events between what was seen and what follows are gone; `lost` is absent where nobody knows how many. */
  | { readonly kind: 'gap'; readonly cursor: EventCursor; readonly lost?: number | undefined };
