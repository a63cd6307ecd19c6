import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { ControlEvent, EventQuery } from '../contract/events.ts';
import type { ControllerHello, ControlSession, SessionEnd } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { type ControlOperations, GuardedSession } from '../session/index.ts';
import { type ConnectResponse, ProxyControl } from './generated/openshell/proxy/v1/proxy_pb.ts';
import {
  answerFrom,
  appliedFrom,
  authorityFrom,
  connectTo,
  endFrom,
  eventFrom,
  helloFrom,
  orderTo,
  present,
  queryTo,
  questionTo,
  reportFrom,
  statusFrom,
  tenantTo,
  wide,
} from './messages/index.ts';
import type { ProxyConnection } from './proxy-connection.ts';
import { errorFrom, refusalFrom } from './refusals.ts';
import { SESSION_HEADER } from './session-header.ts';

export interface RemoteSessionOptions {
  readonly hello: ControllerHello;
  /** Goes with every call. */
  readonly token?: string | undefined;
  /** Until the session has begun: gives up. After that: the session is lost. */
  readonly signal: AbortSignal;
}

/** Begins a session over a connection. Throws `ControlRefusal`. */
export async function openRemoteSession(
  connection: ProxyConnection,
  { hello, token, signal }: RemoteSessionOptions,
): Promise<ControlSession> {
  const transport = createGrpcTransport({
    baseUrl: connection.authority,
    sessionManager: connection,
    readMaxBytes: CONTROL_LIMITS.answerBytes.value,
    writeMaxBytes: CONTROL_LIMITS.requestBytes.value,
    acceptCompression: [],
  });
  const client = createClient(ProxyControl, transport);
  const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  const left = new AbortController();
  const options = { headers, signal: AbortSignal.any([signal, left.signal]) };
  const stream = client.connect(connectTo(hello), options)[Symbol.asyncIterator]();
  try {
    const first = await messageOf(stream);
    if (first?.case !== 'hello')
      throw new ControlRefusal('what answers is no proxy: it says no hello', { code: 'unavailable' });
    headers.set(SESSION_HEADER, first.value.session);
    const session = new RemoteSession(hello, client, headers, () => left.abort());
    session.begin(helloFrom(first.value));
    void follow(session, stream, signal);
    return session;
  } catch (thrown) {
    throw errorFrom(thrown);
  }
}

/** A session whose proxy is elsewhere: what is refused for certain is refused here, and everything else there. */
class RemoteSession extends GuardedSession {
  readonly #client: Client<typeof ProxyControl>;
  readonly #headers: Headers;
  readonly #leave: () => void;
  #farewell: Promise<void> | undefined;

  constructor(
    hello: ControllerHello,
    client: Client<typeof ProxyControl>,
    headers: Headers,
    leave: () => void,
  ) {
    super(hello, remoteOperations(client, headers), { change: (change) => change, ended: () => undefined });
    this.#client = client;
    this.#headers = headers;
    this.#leave = leave;
  }

  /** Says good-bye, so that the proxy knows that nothing was lost. */
  override [Symbol.asyncDispose](): Promise<void> {
    this.#farewell ??= this.#sayGoodbye();
    return this.#farewell;
  }

  async #sayGoodbye(): Promise<void> {
    if (!this.end({ kind: 'closed' })) return;
    const options = { headers: this.#headers, timeoutMs: CONTROL_LIMITS.closeTime.value };
    // A proxy that does not hear it sees the stream end.
    await this.#client.endSession({}, options).catch(() => undefined);
    this.#leave();
  }
}

/** Waits for the end of the session, which is the end of its stream. */
async function follow(
  session: GuardedSession,
  stream: AsyncIterator<ConnectResponse>,
  signal: AbortSignal,
): Promise<void> {
  let end: SessionEnd = { kind: 'lost', reason: 'the proxy ended the stream of the session' };
  try {
    for (let message = await messageOf(stream); message; message = await messageOf(stream))
      if (message.case === 'end') end = endFrom(message.value);
  } catch (thrown) {
    const reason = signal.aborted ? 'given up' : errorFrom(thrown).message;
    end = { kind: 'lost', reason };
  }
  session.end(end);
}

/** Undefined: the stream has ended. */
async function messageOf(
  stream: AsyncIterator<ConnectResponse>,
): Promise<ConnectResponse['message'] | undefined> {
  const next = await stream.next();
  return next.done ? undefined : next.value.message;
}

const remoteOperations = (client: Client<typeof ProxyControl>, headers: Headers): ControlOperations => ({
  registerTenant: async (spec) => {
    const { report } = await refusals(client.registerTenant({ tenant: tenantTo(spec) }, { headers }));
    return reportFrom(present(report, 'report'));
  },
  removeTenant: async (id) => void (await refusals(client.removeTenant({ id }, { headers }))),
  apply: async (order) => {
    const { outcome } = await refusals(client.apply(orderTo(order), { headers }));
    if (outcome.case === 'refused') throw refusalFrom(outcome.value);
    return appliedFrom(present(outcome.value, 'outcome'), order.mode);
  },
  rotateAuthority: async (step) => {
    const { authority } = await refusals(client.rotateAuthority({ step }, { headers }));
    return authorityFrom(present(authority, 'authority'));
  },
  drain: async (timeoutMs) =>
    void (await refusals(client.drain({ timeoutMs: wide(timeoutMs) }, { headers }))),
  status: async () => statusFrom(await refusals(client.getStatus({}, { headers }))),
  authority: async () => {
    const { authority } = await refusals(client.getAuthority({}, { headers }));
    return authorityFrom(present(authority, 'authority'));
  },
  events: (query) => remoteEvents(client, headers, query),
  explain: async (query) => answerFrom(await refusals(client.explain(questionTo(query), { headers }))),
});

async function* remoteEvents(
  client: Client<typeof ProxyControl>,
  headers: Headers,
  { signal, ...query }: EventQuery,
): AsyncIterable<ControlEvent> {
  const options = signal ? { headers, signal } : { headers };
  try {
    for await (const response of client.followEvents(queryTo(query), options)) {
      const event = eventFrom(response);
      if (event) yield event;
    }
  } catch (thrown) {
    // Whoever asked wants no more.
    if (!signal?.aborted) throw errorFrom(thrown);
  }
}

const refusals = <T>(call: Promise<T>): Promise<T> =>
  call.catch((thrown: unknown) => {
    throw errorFrom(thrown);
  });
