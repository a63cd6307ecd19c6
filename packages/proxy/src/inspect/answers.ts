import type { Intent, RequestDecision, RequestFacts } from '@openshell/policy';
import type { ClientExchange, ResponseHead } from '../exchange/exchange.ts';
import type { AnswerBody } from '../http/answer.ts';
import { field, type HeaderField } from '../http/request-head.ts';
import { TRACE_FIELD } from '../http/trace-field.ts';

/** An answer that the proxy gives in the origin's place. */
export interface Answer {
  readonly status: number;
  readonly body: AnswerBody;
  readonly policy?: string | undefined;
}

const JSON_TYPE = field('Content-Type', 'application/json');
const NO_STORE = field('Cache-Control', 'no-store');
const NO_TRAILERS: readonly HeaderField[] = [];

/** Answers in the client's own protocol: JSON, or the status of a gRPC call. Returns the status that it was. */
export function give(exchange: ClientExchange, answer: Answer, traceId: string): number {
  const { request } = exchange;
  const type = request.fields.find(({ lowerName }) => lowerName === 'content-type')?.value ?? '';
  if (request.version === '2' && /^application\/grpc(?![\w-])/i.test(type)) {
    giveGrpc(exchange, answer, type, traceId);
    return 200;
  }
  const content = Buffer.from(`${JSON.stringify({ ...answer.body, trace_id: traceId })}\n`);
  const head: ResponseHead = {
    status: answer.status,
    fields: [
      JSON_TYPE,
      NO_STORE,
      ...(answer.policy === undefined ? [] : [field('X-OpenShell-Policy', encodeURI(answer.policy))]),
      field(TRACE_FIELD, traceId),
    ],
  };
  const omitted = request.method === 'HEAD';
  const sink = exchange.respond(
    head,
    omitted ? { kind: 'none', declared: content.length } : { kind: 'length', length: content.length },
  );
  if (!omitted) sink.write(content);
  sink.end(NO_TRAILERS);
  return answer.status;
}

/** gRPC over HTTP/2, "Trailers-Only": a call ends with a status of its own, and clients show nothing else. */
function giveGrpc(exchange: ClientExchange, { status, body }: Answer, type: string, traceId: string): void {
  const text = [body.detail, body.remedy].filter((part) => typeof part === 'string').join(' ');
  const head: ResponseHead = {
    status: 200,
    fields: [
      field('Content-Type', type),
      field('grpc-status', String(GRPC_STATUSES[status] ?? GRPC_UNAVAILABLE)),
      field('grpc-message', percentEncoded(text)),
      field(TRACE_FIELD, traceId),
    ],
  };
  exchange.respond(head, { kind: 'none' }).end(NO_TRAILERS);
}

/** Only what is not printable ASCII, and `%` (gRPC over HTTP/2, "Status-Message"): clients show reserved characters as they came. */
const percentEncoded = (text: string): string =>
  text.toWellFormed().replace(/[^ -~]|%/gu, encodeURIComponent);

const GRPC_UNAVAILABLE = 14;
/** INVALID_ARGUMENT, PERMISSION_DENIED, RESOURCE_EXHAUSTED, INTERNAL, DEADLINE_EXCEEDED. */
const GRPC_STATUSES: Readonly<Record<number, number>> = { 400: 3, 403: 7, 413: 8, 500: 13, 504: 4 };

export interface DenialOptions {
  readonly decision: Extract<RequestDecision, { action: 'deny' }>;
  readonly intent: Intent;
  readonly facts: RequestFacts;
  readonly protocol: string;
}

/** The answer to a request that policy does not allow: what was refused, by what, and what to do. */
export function denial({ decision, intent, facts, protocol }: DenialOptions): Answer {
  const { host, port, evidence } = intent;
  const { method, path } = facts;
  const binary = evidence.kind === 'process' ? evidence.executable.path : undefined;
  const missing = {
    type: `${protocol.replace('-', '_')}_allow`,
    layer: 'l7',
    method,
    path,
    host,
    port,
    binary,
  };
  return {
    status: 403,
    policy: decision.policy,
    body: {
      error: 'policy_denied',
      code: decision.code,
      layer: 'l7',
      protocol,
      policy: decision.policy,
      rule: `${method} ${path}`,
      decided_by: decision.rule,
      detail: decision.reason,
      method,
      path,
      host,
      port,
      binary,
      generation: decision.generation,
      rule_missing: decision.code === 'request_not_allowed' ? missing : undefined,
      remedy: decision.remedy,
      next_steps: [],
    },
  };
}
