import { tunnel } from '../adapters/tunnel.ts';
import { renderAnswer } from '../http/answer.ts';
import { type Peeked, type PeekVerdict, peek } from '../peek/peek.ts';
import { endGently } from '../relay/linger.ts';
import { contradictionOf } from '../relay/name-guard.ts';
import { reset } from '../relay/reset.ts';
import type { Connection } from '../tenant/connection.ts';
import { ACCESS_DENIED_ALERT } from '../tls/alert.ts';
import { intercept } from '../tls/intercept.ts';
import { serveDatabase, speaksSql } from './database.ts';
import { serveHttp } from './inspected-connection.ts';
import type { InspectorContext } from './inspector.ts';

export interface OpenOptions {
  /** Bytes of the client that were read before. */
  readonly initial?: Buffer | undefined;
  /** The same, already told apart. */
  readonly peeked?: Peeked | undefined;
}

/**
 * Opens a granted connection: finds out what it speaks, takes the server's side of TLS where there is TLS, and serves the
 * requests inside. What cannot be looked into goes nowhere.
 */
export async function openConnection(
  connection: Connection,
  context: InspectorContext,
  { initial, peeked }: OpenOptions,
): Promise<void> {
  // From now on, not from the first request on: a new policy that wants it opened has nothing against it.
  connection.opened();
  if (speaksSql(connection.grant!.decision.inspection))
    return serveDatabase(connection, context, peeked?.bytes ?? initial);
  const first = peeked ?? (await firstBytes(connection, context, initial));
  if (first === undefined) return;
  const { verdict, bytes } = first;
  const { intent } = connection.grant!;
  const { socket } = connection;
  if (passesUnread(connection) && isUnreadable(first)) return passUnread(connection, context, bytes);
  reportOpened(connection, context, bytes.length);
  const serveRequests = (protocol: 'h1' | 'h2'): Promise<void> =>
    serveHttp({ connection, context, socket, protocol, scheme: 'http', form: 'origin', initial: bytes });
  // The reader of requests compares every Host, the first one too, and says in an answer what it does not understand.
  if (speaksHttp1(verdict)) return serveRequests('h1');
  const contradiction = contradictionOf(verdict, intent.host, bytes);
  if (contradiction !== undefined) {
    context.reporter.contradicted(connection, connection.grant!, contradiction.reason);
    return refuse(connection, context, contradiction.protocol, contradiction.reason);
  }
  switch (verdict.kind) {
    case 'tls':
      return openTls(connection, context, bytes);
    case 'http':
    case 'h2':
      return serveRequests(verdict.kind === 'h2' ? 'h2' : 'h1');
    case 'ended':
      socket.destroy();
      return;
    case 'preamble':
    case 'other':
    case 'late':
    case 'full':
    case 'malformed': {
      const reason = 'requests to this endpoint are inspected, and this is neither TLS nor HTTP';
      context.reporter.uninspectable(connection, connection.grant!, reason);
      return refuse(connection, context, 'other', reason);
    }
    default:
      return verdict satisfies never;
  }
}

const speaksHttp1 = (verdict: PeekVerdict): boolean =>
  verdict.kind === 'http' || (verdict.kind === 'malformed' && verdict.protocol === 'http');

const passesUnread = ({ grant }: Connection): boolean => grant?.decision.inspection?.unreadable === 'pass';

/** Another protocol, or one in which the server speaks first. What began like TLS or HTTP is neither. */
const isUnreadable = ({ verdict, bytes }: Peeked): boolean =>
  verdict.kind === 'other' || verdict.kind === 'preamble' || (verdict.kind === 'late' && bytes.length === 0);

/** Joins the client with its destination, as where nothing is inspected. */
async function passUnread(connection: Connection, context: InspectorContext, initial: Buffer): Promise<void> {
  connection.leftUnread();
  const outcome = await context.egress.connect(connection);
  if (outcome.kind === 'open') {
    const guardedName = connection.grant!.intent.host;
    return tunnel(connection, context, { upstream: outcome.upstream, initial, guardedName });
  }
  if (outcome.kind === 'refused') context.reporter.refused(connection, outcome);
  reset(connection.socket);
}

/** `early` bytes of the client were read before. */
function reportOpened(connection: Connection, { reporter }: InspectorContext, early: number): void {
  const { socket } = connection;
  const startedAt = performance.now();
  const before = { out: socket.bytesRead - early, in: socket.bytesWritten };
  reporter.opened(connection);
  connection.atEnd(() => {
    const { cutShort } = connection;
    reporter.closedInspected(connection, {
      out: socket.bytesRead - before.out,
      in: socket.bytesWritten - before.in,
      durationMs: Math.round(performance.now() - startedAt),
      ...(cutShort !== undefined && { reason: cutShort }),
    });
  });
}

async function openTls(connection: Connection, context: InspectorContext, initial: Buffer): Promise<void> {
  const { socket } = connection;
  const { host } = connection.grant!.intent;
  const { limits } = context;
  const leaves = context.leaves();
  const alpn = ['h2', 'http/1.1'] as const;
  const result = await intercept({ socket, initial, host, leaves, alpn, limits, signal: connection.signal });
  if (result.kind === 'failed') {
    if (result.code !== 'aborted')
      context.reporter.interceptFailed(connection, connection.grant!.intent, result);
    return;
  }
  const { protocol } = result;
  return serveHttp({ connection, context, socket: result.socket, protocol, scheme: 'https', form: 'origin' });
}

/** What a client says first; undefined when it has gone. */
export function firstBytes(
  connection: Connection,
  { limits }: InspectorContext,
  initial: Buffer | undefined,
): Promise<Peeked | undefined> {
  const { socket, signal } = connection;
  const { promise, resolve } = Promise.withResolvers<Peeked | undefined>();
  if (socket.destroyed) return Promise.resolve(undefined);
  // A policy that no longer allows the connection does not wait for what it would have been used for.
  const onAbort = (): void => reset(socket);
  signal.addEventListener('abort', onAbort);
  socket.once('close', () => resolve(undefined));
  // Where everything passes, the client may be waiting for the server's first word.
  const firstByteTime = passesUnread(connection) ? limits.peekTime : limits.keepAliveTime;
  peek({ socket, initial, limits, firstByteTime }, (peeked) => {
    signal.removeEventListener('abort', onAbort);
    resolve(peeked);
  });
  return promise;
}

/** Refuses in the client's own protocol; a reset says it to every other. */
export async function refuse(
  { socket, trace }: Connection,
  { limits }: InspectorContext,
  protocol: 'tls' | 'http' | 'other',
  reason: string,
): Promise<void> {
  switch (protocol) {
    case 'tls':
      return endGently(socket, ACCESS_DENIED_ALERT, limits);
    case 'http': {
      const body = { error: 'name_contradiction', layer: 'l4', detail: reason, next_steps: [] };
      return endGently(socket, renderAnswer({ status: 403, body, traceId: trace.id }), limits);
    }
    case 'other':
      reset(socket);
      return;
    default:
      return protocol satisfies never;
  }
}
