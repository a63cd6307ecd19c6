import { randomBytes } from 'node:crypto';
import { checkHello } from '../check/hello.ts';
import type { InstalledGeneration } from '../contract/generation.ts';
import { negotiate, PROTOCOL, type ProtocolRange } from '../contract/protocol.ts';
import type { ControllerHello, ControlSession, ProxyHello, SessionEnd } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import type { ProxyStatus } from '../contract/status.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { GuardedSession } from './guarded-session.ts';
import type { ControlOperations } from './operations.ts';
import { endedRefusal } from './session-end.ts';

/** For the record: who began or ended to control or observe. */
export type SessionChange =
  | { readonly kind: 'began'; readonly by: ControllerHello }
  | { readonly kind: 'ended'; readonly by: ControllerHello; readonly end: SessionEnd };

export interface SessionDeskOptions {
  /** Of the program. */
  readonly version: string;
  readonly features: readonly string[];
  /** What is in force at this moment. */
  readonly installed: () => readonly InstalledGeneration[];
  readonly watch?: ((change: SessionChange) => void) | undefined;
  /** For tests: what another build speaks. */
  readonly range?: ProtocolRange | undefined;
}

/**
 * Hands out the sessions of one proxy. At most one of them controls it; who takes over gets it only after the changes that the one before
 * had under way are done, so that nothing that it did not ask for happens behind its back.
 */
export class SessionDesk {
  /** Random, new with each desk, which is to say with each start of the proxy. */
  readonly instance = randomBytes(16).toString('hex');
  readonly #options: SessionDeskOptions;
  readonly #range: ProtocolRange;
  readonly #sessions = new Set<GuardedSession>();
  readonly #changes = new Set<Promise<unknown>>();
  #holder: { readonly session: GuardedSession; readonly since: number } | undefined;
  #stopping = false;

  constructor(options: SessionDeskOptions) {
    this.#options = options;
    this.#range = options.range ?? PROTOCOL;
  }

  /** Who controls, as `ProxyStatus` says it. */
  get controller(): ProxyStatus['controller'] {
    return this.#holder && { name: this.#holder.session.by.name, since: this.#holder.since };
  }

  /**
   * Begins a session; `ProxyControl.connect` with the operations of a proxy. When `signal` aborts after that, the session is lost.
   * Throws `request_invalid`, `protocol_unsupported`, `controlled_by_another`, `too_many_sessions`, `unavailable`.
   */
  async open(
    hello: ControllerHello,
    operations: ControlOperations,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ControlSession> {
    checkHello(hello);
    const protocol = negotiate(this.#range, hello.protocol, 'controller');
    if (signal?.aborted) throw givenUp(signal);
    if (this.#stopping) throw endedRefusal({ kind: 'proxy_stopping' });
    const session = this.#admit(hello, operations);
    const lose = () => session.end({ kind: 'lost', reason: reasonOf(signal) });
    signal?.addEventListener('abort', lose, { once: true });
    void session.ended.then(() => signal?.removeEventListener('abort', lose));
    if (hello.role === 'controller') await Promise.allSettled(this.#changes);
    session.begin(this.#helloOf(protocol));
    this.#options.watch?.({ kind: 'began', by: hello });
    return session;
  }

  /** Ends every session; there are no new ones. */
  stop(): void {
    this.#stopping = true;
    for (const session of this.#sessions) session.end({ kind: 'proxy_stopping' });
  }

  #admit(hello: ControllerHello, operations: ControlOperations): GuardedSession {
    const session = new GuardedSession(hello, operations, {
      change: (change) => this.#change(change),
      ended: (which, end) => this.#ended(which, end),
    });
    if (hello.role === 'controller') this.#hold(session, hello);
    else if (this.#observers() >= CONTROL_LIMITS.observers.value)
      throw new ControlRefusal(`the proxy has ${CONTROL_LIMITS.observers.value} observers already`, {
        code: 'too_many_sessions',
        remedy: 'End some of them.',
      });
    this.#sessions.add(session);
    return session;
  }

  #hold(session: GuardedSession, { name, takeOver = false }: ControllerHello): void {
    const previous = this.#holder;
    if (previous && !takeOver)
      throw new ControlRefusal(
        `the proxy is controlled by "${previous.session.by.name}" since ${new Date(previous.since).toISOString()}`,
        {
          code: 'controlled_by_another',
          remedy: 'End that one, take over explicitly, or connect as an observer.',
        },
      );
    this.#holder = { session, since: Date.now() };
    previous?.session.end({ kind: 'taken_over', by: name });
  }

  #observers(): number {
    return this.#sessions.size - (this.#holder ? 1 : 0);
  }

  #change<T>(change: Promise<T>): Promise<T> {
    this.#changes.add(change);
    const forget = () => this.#changes.delete(change);
    change.then(forget, forget);
    return change;
  }

  #ended(session: GuardedSession, end: SessionEnd): void {
    this.#sessions.delete(session);
    if (this.#holder?.session === session) this.#holder = undefined;
    if (session.begun) this.#options.watch?.({ kind: 'ended', by: session.by, end });
  }

  #helloOf(protocol: number): ProxyHello {
    const { version, features, installed } = this.#options;
    return {
      instance: this.instance,
      version,
      protocol,
      range: this.#range,
      features,
      installed: installed(),
    };
  }
}

const givenUp = (signal: AbortSignal): ControlRefusal =>
  new ControlRefusal(`connecting was given up: ${reasonOf(signal)}`, {
    code: 'unavailable',
    cause: signal.reason,
  });

const reasonOf = (signal: AbortSignal | undefined): string =>
  signal?.reason instanceof Error ? signal.reason.message : 'aborted';
