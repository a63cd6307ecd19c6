import { setTimeout as delay } from 'node:timers/promises';
import type { ControllerHello, ControlSession, ProxyControl, SessionEnd } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import { endedRefusal } from '../session/index.ts';
import { isOver } from './reconcile.ts';

export interface KeepConnectedOptions {
  readonly control: ProxyControl;
  readonly hello: ControllerHello;
  /** Ends it all: the session is closed. */
  readonly signal: AbortSignal;
  /** Run with each session, from the beginning of it. The session stays when this is done, until it ends by itself. */
  readonly onSession: (session: ControlSession) => Promise<void>;
  /** Why there is no session at the moment, and when the next attempt comes. */
  readonly onWaiting?: ((refusal: ControlRefusal, delayMs: number) => void) | undefined;
  /** Between attempts, in ms: the first wait, and the longest. */
  readonly delays?: { readonly first: number; readonly most: number } | undefined;
}

/** So that a proxy that starts again is steered again soon, and a thousand controllers do not come at once. */
const DELAYS = { first: 250, most: 30_000 };

/**
 * Keeps a proxy under control: connects, and connects again whenever the session is lost, with growing pauses. Resolves with `closed` when `signal` aborts,
 * and with `taken_over` when another controller was told to take over: then it is not for this one to take it back. Throws
 * `protocol_unsupported` and `request_invalid`, which waiting does not mend, and what `onSession` throws of its own.
 */
export async function keepConnected(options: KeepConnectedOptions): Promise<SessionEnd> {
  const { signal, onWaiting, delays = DELAYS } = options;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const end = await holdSession(options, () => {
        attempt = 0;
      });
      if (end.kind === 'taken_over' || signal.aborted) return end;
      throw endedRefusal(end);
    } catch (thrown) {
      if (!(thrown instanceof ControlRefusal) || isHopeless(thrown)) throw thrown;
      if (signal.aborted) break;
      const wait = pause(attempt, delays);
      onWaiting?.(thrown, wait);
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }
  return { kind: 'closed' };
}

async function holdSession(options: KeepConnectedOptions, begun: () => void): Promise<SessionEnd> {
  const { signal, onSession } = options;
  await using session = await connect(options);
  const close = () => void session[Symbol.asyncDispose]();
  signal.addEventListener('abort', close, { once: true });
  try {
    if (signal.aborted) close();
    await onSession(session).catch((thrown: unknown) => {
      // The session says itself how it ended.
      if (!(thrown instanceof ControlRefusal && isOver(thrown))) throw thrown;
    });
    begun();
    return await session.ended;
  } finally {
    signal.removeEventListener('abort', close);
  }
}

/** The signal is for connecting alone: a session that has begun is closed in good order, and not lost. */
async function connect({ control, hello, signal }: KeepConnectedOptions): Promise<ControlSession> {
  const connecting = new AbortController();
  const giveUp = () => connecting.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await control.connect(hello, { signal: connecting.signal });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

const isHopeless = ({ code }: ControlRefusal): boolean =>
  code === 'protocol_unsupported' || code === 'request_invalid';

/** Doubles with each attempt; somewhere between half of that and all of it. */
const pause = (attempt: number, { first, most }: { readonly first: number; readonly most: number }): number =>
  Math.ceil(Math.min(most, first * 2 ** Math.min(attempt, 20)) * (0.5 + Math.random() / 2));
