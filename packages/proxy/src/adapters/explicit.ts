import { type AnswerBody, renderAnswer } from '../http/answer.ts';
import { FAULT_NAMES } from '../http/request-head.ts';
import { endGently } from '../relay/linger.ts';
import { SOCKS4_REJECTED } from '../socks/messages.ts';
import type { Adoption } from '../tenant/adoption.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { serveConnect } from './connect.ts';
import { serveForward } from './forward.ts';
import { readOpening } from './opening.ts';
import { serveSocks5 } from './socks5.ts';

/** Why a client of SOCKS4 gets nothing: that version has neither names nor a way to say what is wrong. */
export const SOCKS4_DETAIL = 'SOCKS4 is not served: use SOCKS5 with names (socks5h://), or HTTP';

/** Serves a program that knows it talks to a proxy, in HTTP or in SOCKS5: a tunnel, or forwarded requests. */
export async function serveExplicit(
  connection: Connection,
  context: TenantContext,
  { first, admit }: Extract<Adoption, { kind: 'explicit' }>,
): Promise<void> {
  const { socket } = connection;
  const { limits, reporter } = context;
  const opening = first ?? (await readOpening(socket, limits));
  switch (opening.kind) {
    case 'gone':
      socket.destroy();
      return;
    case 'fault': {
      const { status, detail } = opening.fault;
      return answer(connection, context, status, { error: FAULT_NAMES[status], detail });
    }
    case 'socks5':
      return serveSocks5(connection, context, { initial: opening.initial, agreed: false });
    case 'socks4':
      reporter.malformedRequest(connection, SOCKS4_DETAIL);
      return endGently(socket, SOCKS4_REJECTED, limits);
    case 'head':
      if (opening.head.method === 'CONNECT') return serveConnect(connection, context, opening);
      return serveForward(connection, context, opening, admit);
    default:
      return opening satisfies never;
  }
}

/** Gives the client its last answer and closes: what was refused, and under which id it is in the events. Resolves when the connection is closed. */
export function answer(
  connection: Connection,
  context: TenantContext,
  status: number,
  body: AnswerBody,
): Promise<void> {
  const { socket, trace } = connection;
  return endGently(socket, renderAnswer({ status, body, traceId: trace.id }), context.limits);
}
