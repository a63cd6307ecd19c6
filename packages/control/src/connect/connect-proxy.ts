import { checkHello } from '../check/hello.ts';
import type { ControllerHello, ControlSession, ProxyControl } from '../contract/proxy-control.ts';
import type { ProxyConnection } from '../grpc/index.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { dial } from './dial.ts';
import type { ControlTarget } from './target.ts';

/**
 * The control of a proxy that is elsewhere. Each session has a connection of its own, which ends with it; over a connection that the caller brings, they
 * share that one.
 */
export function connectProxy(target: ControlTarget): ProxyControl {
  return target.kind === 'duplex' ? new SharedConnection(target) : new OwnConnections(target);
}

class OwnConnections implements ProxyControl {
  readonly #target: Exclude<ControlTarget, { kind: 'duplex' }>;

  constructor(target: Exclude<ControlTarget, { kind: 'duplex' }>) {
    this.#target = target;
  }

  async connect(
    hello: ControllerHello,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ControlSession> {
    checkHello(hello);
    const { openRemoteSession, ProxyConnection } = await import('../grpc/index.ts');
    let connection: ProxyConnection | undefined;
    try {
      const session = await withinTime(signal, async (until) => {
        connection = new ProxyConnection(await dial(this.#target, until));
        return openRemoteSession(connection, { hello, token: this.#target.token, signal: until });
      });
      // However it ends; a good-bye that is under way is waited for.
      void session.ended
        .then(() => session[Symbol.asyncDispose]())
        .then(() => connection?.[Symbol.dispose]());
      return session;
    } catch (thrown) {
      connection?.[Symbol.dispose]();
      throw thrown;
    }
  }
}

class SharedConnection implements ProxyControl {
  readonly #target: Extract<ControlTarget, { kind: 'duplex' }>;
  #connection: ProxyConnection | undefined;

  constructor(target: Extract<ControlTarget, { kind: 'duplex' }>) {
    this.#target = target;
  }

  async connect(
    hello: ControllerHello,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ControlSession> {
    checkHello(hello);
    const { openRemoteSession, ProxyConnection } = await import('../grpc/index.ts');
    this.#connection ??= new ProxyConnection(this.#target.connection);
    const connection = this.#connection;
    return withinTime(signal, (until) => openRemoteSession(connection, { hello, signal: until }));
  }
}

/** Runs something with a signal that aborts with the caller's, or when it has not come to its end in time; not after that. */
async function withinTime<T>(
  signal: AbortSignal | undefined,
  run: (until: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Error('the proxy takes too long')),
    CONTROL_LIMITS.connectTime.value,
  );
  try {
    return await run(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}
