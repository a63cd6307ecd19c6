import type { Upstream } from '../destination/upstream.ts';
import { type AnswerBody, renderAnswer } from '../http/answer.ts';
import { bodyReader } from '../http/body-reader.ts';
import { type ForwardTarget, forwardTarget, renderForwardHead } from '../http/forward-request.ts';
import { type BodyFraming, framingOf } from '../http/framing.ts';
import type { HeadResult } from '../http/head-reader.ts';
import { refusalAnswer } from '../http/refusal-answer.ts';
import { startExchange } from '../relay/exchange-relay.ts';
import { endGently } from '../relay/linger.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';

type ReadRequest = Extract<HeadResult, { kind: 'head' }>;

interface Exchange {
  readonly connection: Connection;
  readonly context: TenantContext;
  readonly request: ReadRequest;
}

/** `GET http://host/path`: one request, forwarded if policy allows its destination, and its response. */
export async function serveForward(
  connection: Connection,
  context: TenantContext,
  request: ReadRequest,
): Promise<void> {
  const exchange: Exchange = { connection, context, request };
  const target = forwardTarget(request.head);
  if (target.kind === 'fault') return answer(exchange, 400, { error: target.error, detail: target.detail });
  const framing = framingOf(request.head);
  if (framing.kind === 'fault')
    return answer(exchange, 400, { error: 'bad_request', detail: framing.detail });
  const outcome = await context.egress.open(connection, 'forward', target.authority);
  switch (outcome.kind) {
    case 'gone':
      connection.socket.destroy();
      return;
    case 'refused': {
      context.reporter.refused(outcome);
      const { status, body } = refusalAnswer(outcome, request.head.method);
      return answer(exchange, status, body);
    }
    case 'open':
      relay(exchange, outcome.upstream, target, framing);
      return;
    default: {
      const unreachable: never = outcome;
      return unreachable;
    }
  }
}

function relay(
  { connection, context, request }: Exchange,
  upstream: Upstream,
  target: Extract<ForwardTarget, { kind: 'target' }>,
  framing: BodyFraming,
): void {
  const { limits, reporter } = context;
  const grant = connection.grant!;
  context.opened(connection);
  reporter.opened(grant);
  const exchange = startExchange({
    client: connection.socket,
    upstream,
    head: renderForwardHead(request.head, target, framing),
    body: bodyReader(framing, limits),
    initial: request.rest,
    limits,
    faultAnswer: (detail) => renderAnswer({ status: 400, body: { error: 'bad_request', detail } }),
  });
  connection.relaying(exchange);
  void exchange.done.then((result) => reporter.closed(connection.grant ?? grant, result));
}

function answer({ connection, context, request }: Exchange, status: number, body: AnswerBody): Promise<void> {
  const omitBody = request.head.method === 'HEAD';
  return endGently(connection.socket, renderAnswer({ status, body, omitBody }), context.limits);
}
