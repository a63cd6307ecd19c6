import { type AnswerBody, renderAnswer } from '../http/answer.ts';
import { readHead } from '../http/read-head.ts';
import { FAULT_NAMES } from '../http/request-head.ts';
import { endGently } from '../relay/linger.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { serveConnect } from './connect.ts';
import { serveForward } from './forward.ts';

/** Serves a program that knows it talks to a proxy: one request, which becomes a tunnel or one forwarded exchange. */
export async function serveExplicit(connection: Connection, context: TenantContext): Promise<void> {
  const result = await readHead(connection.socket, context.limits);
  switch (result.kind) {
    case 'gone':
      connection.socket.destroy();
      return;
    case 'fault': {
      const { status, detail } = result.fault;
      return answer(connection, context, status, { error: FAULT_NAMES[status], detail });
    }
    case 'head':
      if (result.head.method === 'CONNECT') return serveConnect(connection, context, result);
      return serveForward(connection, context, result);
    default: {
      const unreachable: never = result;
      return unreachable;
    }
  }
}

/** Gives the client its last answer and closes. Resolves when the connection is closed. */
export function answer(
  connection: Connection,
  context: TenantContext,
  status: number,
  body: AnswerBody,
): Promise<void> {
  return endGently(connection.socket, renderAnswer({ status, body }), context.limits);
}
