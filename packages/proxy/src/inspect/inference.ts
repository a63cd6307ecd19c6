import type { Adapter, Intent } from '@openshell/policy';
import type { ClientExchange } from '../exchange/exchange.ts';
import { renderAnswer } from '../http/answer.ts';
import { parseAuthority } from '../http/authority.ts';
import { endGently } from '../relay/linger.ts';
import { contradictionOf } from '../relay/name-guard.ts';
import type { Connection } from '../tenant/connection.ts';
import type { InferenceEvent } from '../tenant/request-events.ts';
import { intercept } from '../tls/intercept.ts';
import { ofInference } from '../tracing/attributes.ts';
import type { ConnectionTrace } from '../tracing/connection-trace.ts';
import { give } from './answers.ts';
import { HTTPS_ONLY, INFERENCE_HOST, INFERENCE_PORT } from './destinations.ts';
import { serveHttp } from './inspected-connection.ts';
import type { InspectorContext } from './inspector.ts';
import { firstBytes, type OpenOptions, refuse } from './open.ts';

export interface OpenInferenceOptions extends OpenOptions {
  readonly adapter: Adapter;
}

/** Serves a client that has connected to inference.local: TLS in the sandbox's name, and requests that routes answer. */
export async function openInference(
  connection: Connection,
  context: InspectorContext,
  { adapter, initial, peeked }: OpenInferenceOptions,
): Promise<void> {
  const intent = await context.egress.identify(connection, adapter, {
    host: INFERENCE_HOST,
    port: INFERENCE_PORT,
  });
  const first = peeked ?? (await firstBytes(connection, context, initial));
  if (first === undefined) return;
  const { verdict, bytes } = first;
  const contradiction = contradictionOf(verdict, INFERENCE_HOST, bytes);
  if (contradiction !== undefined) {
    const { protocol, reason } = contradiction;
    context.reporter.interceptFailed(connection, intent, { code: 'name_contradiction', detail: reason });
    return refuse(connection, context, protocol, reason);
  }
  const { socket, signal } = connection;
  const { limits } = context;
  if (verdict.kind !== 'tls') {
    const { code, reason, remedy } = HTTPS_ONLY;
    context.reporter.interceptFailed(connection, intent, { code, detail: reason, remedy });
    if (verdict.kind !== 'http') return refuse(connection, context, 'other', reason);
    const body = { error: code, layer: 'l7', detail: reason, host: INFERENCE_HOST, remedy };
    return endGently(socket, renderAnswer({ status: 403, body, traceId: connection.trace.id }), limits);
  }
  const opened = await intercept({
    ...{ socket, initial: bytes, host: INFERENCE_HOST, leaves: context.leaves(), limits, signal },
    alpn: ['h2', 'http/1.1'],
  });
  if (opened.kind === 'failed') {
    if (opened.code !== 'aborted') context.reporter.interceptFailed(connection, intent, opened);
    return;
  }
  return serveHttp({
    ...{ connection, context, socket: opened.socket, protocol: opened.protocol },
    ...{ scheme: 'https', form: 'origin' },
    serve: (exchange) => void answer(exchange, intent, connection.trace, context),
  });
}

/** One request. Never rejects. */
async function answer(
  exchange: ClientExchange,
  intent: Intent,
  connection: ConnectionTrace,
  context: InspectorContext,
): Promise<void> {
  const { request } = exchange;
  const startedAt = performance.now();
  const trace = connection.request(request.fields);
  const traceId = trace?.id ?? connection.idOf(request.fields);
  const { engine, inference: routes } = context.settings();
  const record = isOwn(request.authority)
    ? await (await context.inference()).serve({
        ...{ exchange, routes, traceId, trace, caller: intent.evidence },
        identity: engine.identity ?? 'required',
      })
    : misdirected(exchange, traceId);
  const durationMs = Math.round(performance.now() - startedAt);
  const { generation } = engine;
  const event: InferenceEvent = {
    ...{ intent, request, record, generation, traceId, durationMs },
    spanId: trace?.spanId,
  };
  context.reporter.inference(event);
  trace?.end(ofInference, { ...event, method: request.method, action: record.action, code: record.code });
}

function isOwn(authority: string | undefined): boolean {
  if (authority === undefined) return false;
  const said = parseAuthority(authority, INFERENCE_PORT);
  return said?.host === INFERENCE_HOST && said.port === INFERENCE_PORT;
}

function misdirected(exchange: ClientExchange, traceId: string) {
  const code = 'request_authority_mismatch';
  const reason = `the request is for another host than ${INFERENCE_HOST}`;
  const body = {
    error: code,
    layer: 'l7',
    detail: reason,
    remedy: 'Connect to each host under its own name.',
  };
  const status = give(exchange, { status: 403, body }, traceId);
  return { action: 'denied', code, reason, status, bytesOut: 0, bytesIn: 0 } as const;
}
