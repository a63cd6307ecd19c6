import { tunnel } from '../adapters/tunnel.ts';
import { renderAnswer } from '../http/answer.ts';
import { type Peeked, peek } from '../peek/peek.ts';
import { endGently } from '../relay/linger.ts';
import { contradictionOf } from '../relay/name-guard.ts';
import { reset } from '../relay/reset.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { ACCESS_DENIED_ALERT } from '../tls/alert.ts';
import { intercept } from '../tls/intercept.ts';
import { serveDatabase, speaksSql } from './database.ts';
import { serveHttp } from './inspected-connection.ts';

export interface OpenOptions {
  /** Bytes of the client that were read before. */
  readonly initial?: Buffer | undefined;
  /** The same, already told apart. */
  readonly peeked?: Peeked | undefined;
}

/** Whether what the connection was allowed for can only be held to by looking into it. */
export function mustOpen(connection: Connection, context: TenantContext): boolean {
  const { intent, decision } = connection.grant!;
  if (decision.tls === 'skip') return false;
  return decision.inspection !== undefined || context.settings().credentials.covers(intent.host, intent.port);
}

/**
 * Opens a granted connection: finds out what it speaks, takes the server's side of TLS where there is TLS, and serves the
 * requests inside. What cannot be looked into goes nowhere.
 */
export async function openConnection(
  connection: Connection,
  context: TenantContext,
  { initial, peeked }: OpenOptions,
): Promise<void> {
  if (speaksSql(connection.grant!.decision.inspection))
    return serveDatabase(connection, context, peeked?.bytes ?? initial);
  const first = peeked ?? (await firstBytes(connection, context, initial));
  if (first === undefined) return;
  const { verdict, bytes } = first;
  const { intent } = connection.grant!;
  const { socket } = connection;
  context.reporter.opened(connection.grant!);
  const contradiction = contradictionOf(verdict, intent.host, bytes);
  if (contradiction !== undefined) {
    context.reporter.contradicted(connection, connection.grant!, contradiction.reason);
    return refuse(connection, context, contradiction.protocol, contradiction.reason);
  }
  switch (verdict.kind) {
    case 'tls':
      return openTls(connection, context, bytes);
    case 'http':
      return serveHttp({
        connection,
        context,
        socket,
        protocol: 'h1',
        scheme: 'http',
        form: 'origin',
        initial: bytes,
      });
    case 'h2':
      return serveHttp({
        connection,
        context,
        socket,
        protocol: 'h2',
        scheme: 'http',
        form: 'origin',
        initial: bytes,
      });
    case 'ended':
      socket.destroy();
      return;
    case 'preamble':
    case 'other':
    case 'late':
    case 'full':
    case 'malformed': {
      // The reader of requests says what is wrong with it, in an answer.
      if (verdict.kind === 'malformed' && verdict.protocol === 'http')
        return serveHttp({
          connection,
          context,
          socket,
          protocol: 'h1',
          scheme: 'http',
          form: 'origin',
          initial: bytes,
        });
      if (passesUnread(connection)) return passUnread(connection, context, bytes);
      const reason = 'requests to this endpoint are inspected, and this is neither TLS nor HTTP';
      context.reporter.uninspectable(connection, connection.grant!, reason);
      return refuse(connection, context, 'other', reason);
    }
    default:
      return verdict satisfies never;
  }
}

const passesUnread = ({ grant }: Connection): boolean => grant?.decision.inspection?.unreadable === 'pass';

/** Joins the client with its destination, and reads nothing of what they say. */
async function passUnread(connection: Connection, context: TenantContext, initial: Buffer): Promise<void> {
  const outcome = await context.egress.connect(connection);
  if (outcome.kind === 'open') return tunnel(connection, context, { upstream: outcome.upstream, initial });
  if (outcome.kind === 'refused') context.reporter.refused(outcome);
  reset(connection.socket);
}

async function openTls(connection: Connection, context: TenantContext, initial: Buffer): Promise<void> {
  const { socket } = connection;
  const { host } = connection.grant!.intent;
  const { limits } = context;
  const leaves = context.leaves();
  const alpn = ['h2', 'http/1.1'] as const;
  const result = await intercept({ socket, initial, host, leaves, alpn, limits, signal: connection.signal });
  if (result.kind === 'failed') {
    if (result.code !== 'aborted') context.reporter.interceptFailed(connection.grant!.intent, result);
    return;
  }
  const { protocol } = result;
  return serveHttp({ connection, context, socket: result.socket, protocol, scheme: 'https', form: 'origin' });
}

function firstBytes(
  connection: Connection,
  { limits }: TenantContext,
  initial: Buffer | undefined,
): Promise<Peeked | undefined> {
  const { socket } = connection;
  const { promise, resolve } = Promise.withResolvers<Peeked | undefined>();
  if (socket.destroyed) return Promise.resolve(undefined);
  socket.once('close', () => resolve(undefined));
  // Where everything passes, the client may be waiting for the server's first word.
  const firstByteTime = passesUnread(connection) ? limits.peekTime : limits.keepAliveTime;
  peek({ socket, initial, limits, firstByteTime }, resolve);
  return promise;
}

/** Refuses in the client's own protocol; a reset says it to every other. */
async function refuse(
  { socket }: Connection,
  { limits }: TenantContext,
  protocol: 'tls' | 'http' | 'other',
  reason: string,
): Promise<void> {
  switch (protocol) {
    case 'tls':
      return endGently(socket, ACCESS_DENIED_ALERT, limits);
    case 'http': {
      const body = { error: 'name_contradiction', layer: 'l4', detail: reason, next_steps: [] };
      return endGently(socket, renderAnswer({ status: 403, body }), limits);
    }
    case 'other':
      reset(socket);
      return;
    default:
      return protocol satisfies never;
  }
}
