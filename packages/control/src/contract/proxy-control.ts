import type { SandboxId } from '@openshell/base';
import type { AuthorityStatus, RotationStep } from './authority.ts';
import type { ControlEvent, EventQuery } from './events.ts';
import type { ExplainAnswer, ExplainQuery } from './explain.ts';
import type { Applied, ApplyOrder, InstalledGeneration } from './generation.ts';
import type { ProtocolRange } from './protocol.ts';
import type { ProxyStatus } from './status.ts';
import type { TenantReport, TenantSpec } from './tenant.ts';

/** How a proxy is steered, in the same process or over a connection. A proxy that has been told nothing denies everything. */
export interface ProxyControl {
  /**
   * Begins a session. One controller at a time; any number of observers.
   * When `signal` aborts, connecting is given up; after that, the session is lost.
   * Throws `ControlRefusal`: `protocol_unsupported`, `controlled_by_another`, `too_many_sessions`, `unauthenticated`, `unavailable`.
   */
  connect(
    hello: ControllerHello,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ControlSession>;
}

export interface ControllerHello {
  /** For people and events. */
  readonly name: string;
  readonly protocol: ProtocolRange;
  readonly role: 'controller' | 'observer';
  /** End the session of whoever controls it now. */
  readonly takeOver?: boolean | undefined;
}

export interface ProxyHello {
  /** Random, new with each start of the proxy. */
  readonly instance: string;
  /** Of the program. */
  readonly version: string;
  /** What both agreed on. */
  readonly protocol: number;
  readonly range: ProtocolRange;
  readonly features: readonly string[];
  /** What is in force, so that a controller that comes back pushes only what differs. */
  readonly installed: readonly InstalledGeneration[];
}

/** Why a session is over. The proxy goes on as it was in every case. */
export type SessionEnd =
  | { readonly kind: 'closed' }
  | { readonly kind: 'taken_over'; readonly by: string }
  | { readonly kind: 'proxy_stopping' }
  | { readonly kind: 'lost'; readonly reason: string };

/** Each call throws `ControlRefusal`; an observer may use those that change nothing, which a check is among. */
export interface ControlSession extends AsyncDisposable {
  readonly hello: ProxyHello;
  /** Never rejects. */
  readonly ended: Promise<SessionEnd>;

  /** The tenant denies everything until a generation is applied. Changing one that exists: remove it first. */
  registerTenant(spec: TenantSpec): Promise<TenantReport>;
  /** Closes its listeners and its connections. */
  removeTenant(id: SandboxId): Promise<void>;
  /** All or nothing: a generation with anything wrong in it leaves the last one in force. `generation_refused` lists all that is wrong. */
  apply(order: ApplyOrder): Promise<Applied>;
  /** Version 2. */
  rotateAuthority(step: RotationStep): Promise<AuthorityStatus>;
  /**
   * Version 2. Takes no new connections, and ends those that only wait for a further request; resolves when the last one has ended, or was ended
   * after this many milliseconds.
   */
  drain(timeoutMs: number): Promise<void>;

  status(): Promise<ProxyStatus>;
  /** What clients have to trust. Makes the authority where there was none yet. */
  authority(): Promise<AuthorityStatus>;
  /** Ends with the session (throws `unavailable` where that is lost), with `signal`, or, where `follow` is false, with what there is. Whoever reads slowly gets a gap, not a queue without end. */
  events(query: EventQuery): AsyncIterable<ControlEvent>;
  explain(query: ExplainQuery): Promise<ExplainAnswer>;
}
