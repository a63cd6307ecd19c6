import type { SandboxId } from '@openshell/base';
import { checkOrder } from '../check/order.ts';
import { checkEventQuery, checkExplainQuery } from '../check/query.ts';
import { checkDrainTime, checkRotationStep, checkTenantId, checkTenantSpec } from '../check/tenant.ts';
import type { AuthorityStatus, RotationStep } from '../contract/authority.ts';
import type { ControlEvent, EventQuery } from '../contract/events.ts';
import type { ExplainAnswer, ExplainQuery } from '../contract/explain.ts';
import type { Applied, ApplyOrder } from '../contract/generation.ts';
import type { ControllerHello, ControlSession, ProxyHello, SessionEnd } from '../contract/proxy-control.ts';
import type { ProxyStatus } from '../contract/status.ts';
import type { TenantReport, TenantSpec } from '../contract/tenant.ts';
import { requireRole, requireVersion } from './call-rules.ts';
import type { ControlCall, ControlOperations } from './operations.ts';
import { endedRefusal } from './session-end.ts';

/** What a session needs of the desk that made it. */
export interface SessionKeeper {
  /** Makes it visible to whoever controls next that a change is under way. */
  change<T>(change: Promise<T>): Promise<T>;
  ended(session: GuardedSession, end: SessionEnd): void;
}

/** A session that lets through what its role, its version and its state allow, with arguments that make sense. */
export class GuardedSession implements ControlSession {
  readonly by: ControllerHello;
  readonly ended: Promise<SessionEnd>;
  readonly #operations: ControlOperations;
  readonly #keeper: SessionKeeper;
  readonly #over = new AbortController();
  readonly #resolveEnded: (end: SessionEnd) => void;
  #hello: ProxyHello | undefined;
  #end: SessionEnd | undefined;

  constructor(by: ControllerHello, operations: ControlOperations, keeper: SessionKeeper) {
    this.by = by;
    this.#operations = operations;
    this.#keeper = keeper;
    const { promise, resolve } = Promise.withResolvers<SessionEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  get begun(): boolean {
    return this.#hello !== undefined;
  }

  get hello(): ProxyHello {
    if (!this.#hello) throw new Error('the session has not begun');
    return this.#hello;
  }

  /** Throws where it has ended before it began. */
  begin(hello: ProxyHello): void {
    if (this.#end) throw endedRefusal(this.#end);
    this.#hello = hello;
  }

  /** Whether it is this that ended it. Calls that are under way come to their own end. */
  end(end: SessionEnd): boolean {
    if (this.#end) return false;
    this.#end = end;
    this.#over.abort();
    this.#keeper.ended(this, end);
    this.#resolveEnded(end);
    return true;
  }

  async registerTenant(spec: TenantSpec): Promise<TenantReport> {
    this.#admit('registerTenant');
    checkTenantSpec(spec);
    return this.#keeper.change(this.#operations.registerTenant(spec));
  }

  async removeTenant(id: SandboxId): Promise<void> {
    this.#admit('removeTenant');
    checkTenantId(id);
    return this.#keeper.change(this.#operations.removeTenant(id));
  }

  async apply(order: ApplyOrder): Promise<Applied> {
    this.#admit('apply', order.mode);
    checkOrder(order);
    const applied = this.#operations.apply(order);
    return order.mode === 'check' ? applied : this.#keeper.change(applied);
  }

  async rotateAuthority(step: RotationStep): Promise<AuthorityStatus> {
    this.#admit('rotateAuthority');
    checkRotationStep(step);
    return this.#keeper.change(this.#operations.rotateAuthority(step));
  }

  /** Not a change that the next controller has to wait for: it may well be the one who looks on. */
  async drain(timeoutMs: number): Promise<void> {
    this.#admit('drain');
    checkDrainTime(timeoutMs);
    return this.#operations.drain(timeoutMs);
  }

  async status(): Promise<ProxyStatus> {
    this.#admit('status');
    return this.#operations.status();
  }

  async authority(): Promise<AuthorityStatus> {
    this.#admit('authority');
    return this.#operations.authority();
  }

  async *events(query: EventQuery): AsyncIterable<ControlEvent> {
    this.#admit('events');
    checkEventQuery(query);
    const over = this.#over.signal;
    const signal = query.signal ? AbortSignal.any([query.signal, over]) : over;
    yield* this.#operations.events({ ...query, signal });
    if (this.#end?.kind === 'lost') throw endedRefusal(this.#end);
  }

  async explain(query: ExplainQuery): Promise<ExplainAnswer> {
    this.#admit('explain');
    checkExplainQuery(query);
    return this.#operations.explain(query);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end({ kind: 'closed' });
  }

  #admit(call: ControlCall, mode?: ApplyOrder['mode']): void {
    if (this.#end) throw endedRefusal(this.#end);
    requireVersion(this.hello.protocol, call);
    requireRole(this.by.role, call, mode);
  }
}
