import type { TenantReport } from './tenant.ts';

/** `denying`: some tenant, or there is none, has no generation. `ready`: every tenant has one. `draining`: it takes no new connections. */
export type ProxyState = 'denying' | 'ready' | 'draining';

export interface WorkerReport {
  /** From 0. */
  readonly index: number;
  /** 0: it has ended. Where it is not replaced any more, the state is `denying`. */
  readonly pid: number;
  /** Times that it was replaced. */
  readonly restarts: number;
  readonly connections: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  /** 99th percentile of how late timers were in the last seconds. */
  readonly eventLoopLagMs: number;
  readonly openFiles: number;
}

export interface ProxyStatus {
  /** Random, new with each start. */
  readonly instance: string;
  /** Of the program. */
  readonly version: string;
  readonly state: ProxyState;
  /** Denying everything was asked for: being ready needs no generation. */
  readonly denyAll: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Who may change things at this moment. */
  readonly controller?: { readonly name: string; readonly since: number } | undefined;
  readonly tenants: readonly TenantReport[];
  /** One where everything is in one process. */
  readonly workers: readonly WorkerReport[];
  /** Certificates for clients to trust; as in `AuthorityStatus`. Absent until one was needed. */
  readonly authorityNotAfter?: number | undefined;
  /** The number of the newest event. */
  readonly lastEvent: number;
}
