import type { BodySource } from '../exchange/body.ts';
import type {
  OutgoingRequest,
  ResponseHead,
  UpstreamConnection,
  UpstreamFailure,
  UpstreamListener,
} from '../exchange/exchange.ts';
import type { UpstreamDestination } from '../upstream/destination.ts';
import type { RouteLimits } from './routes.ts';

/** Where connections come from: the tenant's `UpstreamPool`. */
export interface ConnectionSource {
  acquire(
    destination: UpstreamDestination,
    signal: AbortSignal,
  ): UpstreamConnection | Promise<UpstreamConnection | UpstreamFailure>;
}

export interface BackendCallOptions {
  readonly connections: ConnectionSource;
  readonly destination: UpstreamDestination;
  readonly request: OutgoingRequest;
  readonly body: Buffer;
  readonly limits: Pick<RouteLimits, 'connectTime' | 'headTime'>;
  /** Ends when nobody wants the response any more, also while its body comes. */
  readonly signal: AbortSignal;
}

export type BackendResponse =
  | {
      readonly kind: 'response';
      readonly head: ResponseHead;
      readonly body: BodySource;
      /** Ends the exchange: nobody wants the rest. */
      readonly abort: (reason: string) => void;
    }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

/** Sends one request to a backend, once more where its connection turns out to be stale. Never rejects. */
export async function callBackend(options: BackendCallOptions): Promise<BackendResponse> {
  const first = await callOnce(options);
  const again = first.kind === 'failed' && first.failure.retry && !options.signal.aborted;
  return again ? callOnce(options) : first;
}

async function callOnce(options: BackendCallOptions): Promise<BackendResponse> {
  const { connections, destination, limits, signal } = options;
  if (signal.aborted) return { kind: 'failed', failure: GONE };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limits.connectTime);
  const acquired = connections.acquire(destination, AbortSignal.any([signal, late.signal]));
  // Nothing may come between a connection and its request: until then others may be given it, too.
  const connection = acquired instanceof Promise ? await acquired : acquired;
  clearTimeout(timer);
  if (!('code' in connection)) return exchange(connection, options);
  return {
    kind: 'failed',
    failure: late.signal.aborted ? tooLate('connection', limits.connectTime) : connection,
  };
}

/** Starts at once: the connection was given for this very moment. */
function exchange(
  connection: UpstreamConnection,
  { request, body, limits, signal }: BackendCallOptions,
): Promise<BackendResponse> {
  const { promise, resolve } = Promise.withResolvers<BackendResponse>();
  const fail = (failure: UpstreamFailure): void => {
    clearTimeout(timer);
    resolve({ kind: 'failed', failure });
  };
  const listener: UpstreamListener = {
    continue: ignore,
    interim: ignore,
    response: (head, source) => {
      clearTimeout(timer);
      resolve({ kind: 'response', head, body: source, abort: (reason) => sink.abort(reason) });
    },
    upgraded: (_, stream) => {
      stream.socket.destroy();
      fail({ code: 'upstream_protocol', detail: 'it changed the protocol', retry: false });
    },
    failed: fail,
  };
  const length =
    body.length === 0 ? ({ kind: 'none' } as const) : ({ kind: 'length', length: body.length } as const);
  const sink = connection.start(request, length, listener);
  const timer = setTimeout(() => {
    // First our own reason: to abort is a failure as well.
    fail(tooLate('response', limits.headTime));
    sink.abort('no response in time');
  }, limits.headTime);
  signal.addEventListener(
    'abort',
    () => {
      fail(GONE);
      sink.abort(GONE.detail);
    },
    { once: true },
  );
  // A full sink keeps what it is given: the body is in memory either way.
  if (body.length > 0) sink.write(body);
  sink.end([]);
  return promise;
}

const ignore = (): void => {};

const GONE: UpstreamFailure = { code: 'upstream_unreachable', detail: 'nobody waits any more', retry: false };

const tooLate = (what: string, ms: number): UpstreamFailure => ({
  code: 'upstream_timeout',
  detail: `no ${what} within ${ms} ms`,
  retry: false,
});
