import {
  type HttpEvent,
  httpEvent,
  type NetworkEvent,
  networkEvent,
  type ProcessOptions,
} from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Intent, RequestDecision, RequestFacts } from '@openshell/policy';
import { describeOperations, operationsOf, recordable } from '../denials/operations.ts';
import { processOf } from '../evidence.ts';
import type { RequestMessage } from '../exchange/exchange.ts';
import type { InferenceRecord } from '../inference/record.ts';
import type { RequestRecord } from '../inspect/record.ts';
import type { SqlContent } from '../sql/options.ts';

/** What decides, as events name it. */
export const ENGINE = 'builtin';
/** In the place of a policy's name where none decided. */
export const NO_POLICY = '-';

export interface MessageRecord {
  readonly intent: Intent;
  readonly facts: RequestFacts;
  readonly decision: RequestDecision;
  readonly traceId: string;
}

export interface StatementRecord {
  readonly intent: Intent;
  readonly content: SqlContent;
  readonly decision: RequestDecision;
  readonly traceId: string;
}

const ACTIONS = { allow: 'allowed', audit: 'audited', deny: 'denied' } as const;

/** One request, however it ended. */
export function requestEvent(record: RequestRecord, sandbox: SandboxId): HttpEvent {
  const {
    intent,
    action,
    policy = NO_POLICY,
    status,
    reason,
    code,
    protocol,
    operation,
    generation,
  } = record;
  const { host, port, adapter } = intent;
  const noteworthy = action !== 'allowed';
  const operations = noteworthy ? operationsOf(record.content) : [];
  return httpEvent({
    sandbox,
    action,
    process: knownProcess(intent),
    destination: { host, port },
    method: record.method,
    scheme: record.scheme,
    path: record.path,
    version: record.version,
    status: status === 0 ? undefined : status,
    rule: { name: policy, type: ENGINE, place: record.rule },
    reason: record.broken ?? (noteworthy ? reason : undefined),
    traffic: { in: record.bytesIn, out: record.bytesOut },
    durationMs: record.durationMs,
    traceId: record.traceId,
    unmapped: {
      adapter,
      generation,
      protocol,
      stage: noteworthy ? 'request' : undefined,
      code,
      operation: operation ?? describeOperations(operations),
      operations: recordable(operations),
      credentials: record.credentials,
      span_id: record.spanId,
    },
  });
}

/** One message of a WebSocket that was refused, or only watched. */
export function messageEvent(
  { intent, facts, decision, traceId }: MessageRecord,
  sandbox: SandboxId,
): HttpEvent {
  const { host, port, adapter } = intent;
  const { action, generation, reason, policy = NO_POLICY, rule } = decision;
  const operations = operationsOf(facts.content);
  return httpEvent({
    sandbox,
    action: ACTIONS[action],
    process: knownProcess(intent),
    destination: { host, port },
    method: facts.method,
    scheme: port === 80 ? 'http' : 'https',
    path: facts.path,
    rule: { name: policy, type: ENGINE, place: rule },
    reason,
    traceId,
    unmapped: {
      adapter,
      generation,
      protocol: 'websocket',
      stage: 'message',
      code: codeOf(decision),
      operation: describeOperations(operations),
      operations: recordable(operations),
      from: facts.from === 'server' ? 'server' : undefined,
    },
  });
}

/** In characters: paths of the APIs that are served are far shorter. */
const SHOWN_PATH = 256;

/** The path of a request that no policy is asked about. */
export const shownPath = (target: string): string => target.slice(0, SHOWN_PATH).split('?', 1)[0] ?? '';

/** One request to inference.local. */
export interface InferenceEvent {
  readonly intent: Intent;
  readonly request: Pick<RequestMessage, 'method' | 'target' | 'version'>;
  readonly record: InferenceRecord;
  readonly generation: number;
  readonly traceId: string;
  readonly spanId?: string | undefined;
  readonly durationMs: number;
}

export function inferenceEvent(event: InferenceEvent, sandbox: SandboxId): HttpEvent {
  const { intent, request, record, generation, traceId, durationMs } = event;
  const { host, port, adapter } = intent;
  const { action, status, usage } = record;
  return httpEvent({
    sandbox,
    action,
    process: knownProcess(intent),
    destination: { host, port },
    method: request.method,
    scheme: 'https',
    path: shownPath(request.target),
    version: request.version,
    status: status === 0 ? undefined : status,
    rule: { name: record.route ?? NO_POLICY, type: 'inference' },
    reason: record.reason,
    traffic: { in: record.bytesIn, out: record.bytesOut },
    durationMs,
    traceId,
    unmapped: {
      adapter,
      generation,
      protocol: 'inference',
      stage: action === 'allowed' ? undefined : 'request',
      code: record.code,
      operation: record.protocol,
      model: record.model,
      route: record.route,
      backend: record.backend,
      tokens: usage && { input: usage.input, output: usage.output },
      span_id: event.spanId,
    },
  });
}

/** The statements of one message of a database protocol. */
export function statementEvent(record: StatementRecord, sandbox: SandboxId): NetworkEvent {
  const { intent, content, decision, traceId } = record;
  const { host, port, adapter } = intent;
  const { action, generation, reason, policy = NO_POLICY, rule } = decision;
  const operations = operationsOf(content);
  return networkEvent({
    sandbox,
    activity: 'statement',
    action: ACTIONS[action],
    process: knownProcess(intent),
    destination: { host, port },
    rule: { name: policy, type: ENGINE, place: rule },
    reason: action === 'allow' ? undefined : reason,
    traceId,
    unmapped: {
      adapter,
      generation,
      protocol: 'sql',
      stage: 'statement',
      code: codeOf(decision),
      operation: describeOperations(operations),
      operations: action === 'allow' ? undefined : recordable(operations),
    },
  });
}

export const codeOf = (decision: RequestDecision): string | undefined =>
  decision.action === 'deny' ? decision.code : undefined;

/** Every request of a connection has the same evidence, and there are many of them. */
const processes = new WeakMap<Intent['evidence'], ProcessOptions | undefined>();

function knownProcess({ evidence }: Intent): ProcessOptions | undefined {
  if (evidence.kind === 'unknown') return undefined;
  const known = processes.get(evidence);
  if (known !== undefined) return known;
  const process = processOf(evidence);
  processes.set(evidence, process);
  return process;
}
