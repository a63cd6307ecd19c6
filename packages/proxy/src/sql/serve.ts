import type { Socket } from 'node:net';
import { endGently, ignoreError } from '../relay/linger.ts';
import { type ClientStart, startClient } from './client-start.ts';
import type { SqlOptions, SqlResult } from './options.ts';
import { startServer } from './server-start.ts';
import { SqlSession, serverName } from './session.ts';
import { judgeStartup, startupPacket } from './startup.ts';
import { errorResponse } from './wire.ts';

/**
 * Serves one connection of a client to a PostgreSQL server: every statement is understood and asked about before the server gets
 * it. Resolves when both sides are done with. Never rejects.
 */
export async function serveSql(options: SqlOptions): Promise<SqlResult> {
  const startedAt = performance.now();
  options.client.on('error', ignoreError);
  const { server, reason } = await serve(options);
  return {
    out: server?.bytesWritten ?? 0,
    in: server?.bytesRead ?? 0,
    durationMs: Math.round(performance.now() - startedAt),
    ...(reason !== undefined && { reason }),
  };
}

interface Outcome {
  readonly server?: Socket;
  readonly reason?: string | undefined;
}

async function serve(options: SqlOptions): Promise<Outcome> {
  const start = await startClient(options);
  start.socket.on('error', ignoreError);
  switch (start.kind) {
    case 'failed':
      options.report({ kind: 'refused', code: start.code, reason: start.reason });
      if (start.answer) await answer(options, start.socket, '08P01', start.reason, start.remedy);
      else start.socket.destroy();
      return { reason: start.reason };
    case 'cancel':
      return cancel(options, start);
    case 'startup':
      return session(options, start);
    default:
      return start satisfies never;
  }
}

async function session(
  options: SqlOptions,
  start: Extract<ClientStart, { kind: 'startup' }>,
): Promise<Outcome> {
  const verdict = judgeStartup(start.parameters, options);
  if (verdict.kind === 'refused') {
    options.report({ kind: 'refused', code: 'sql_startup', reason: verdict.reason });
    await answer(options, start.socket, '42501', verdict.reason, verdict.remedy);
    return { reason: verdict.reason };
  }
  const server = await startServer(options, start.tls);
  if (server.kind === 'failed') {
    options.report({ kind: 'refused', code: 'upstream', reason: server.detail });
    await answer(options, start.socket, '08001', server.detail, server.remedy);
    return { reason: server.detail };
  }
  server.socket.write(startupPacket(verdict.parameters, start.minor));
  const running = new SqlSession(
    { client: start.socket, early: start.early, server: server.socket, serverTls: server.tls },
    options,
  );
  return { reason: await running.done, server: server.socket };
}

/** Passes a cancellation on, for a session of this tenant, as encrypted as that is. The server answers by closing the connection. */
async function cancel(
  options: SqlOptions,
  start: Extract<ClientStart, { kind: 'cancel' }>,
): Promise<Outcome> {
  const target = options.cancelKeys.find(serverName(options), start.key);
  const reason = 'a cancellation of something that does not run through here';
  if (target === undefined) {
    options.report({ kind: 'refused', code: 'sql_cancel', reason });
    start.socket.destroy();
    return { reason };
  }
  const server = await startServer(options, target.tls);
  if (server.kind === 'failed') {
    options.report({ kind: 'refused', code: 'upstream', reason: server.detail });
    start.socket.destroy();
    return { reason: server.detail };
  }
  const { socket } = server;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => void socket.destroy();
  socket.on('error', ignoreError);
  socket.once('close', resolve);
  socket.setTimeout(options.limits.sqlStartTime, () => socket.destroy());
  options.signal.addEventListener('abort', onAbort);
  socket.end(start.packet);
  socket.resume();
  await promise;
  options.signal.removeEventListener('abort', onAbort);
  await endGently(start.socket, Buffer.alloc(0), options.limits);
  return { server: socket };
}

/** The last words before a session has begun: clients show them as the reason why they could not connect. */
const answer = (
  options: SqlOptions,
  socket: Socket,
  sqlState: string,
  text: string,
  hint?: string,
): Promise<void> =>
  endGently(
    socket,
    errorResponse({ severity: 'FATAL', sqlState, message: `OpenShell: ${text}`, hint }),
    options.limits,
  );
