import type { Intent, RpcMessage } from '@openshell/policy';
import { describeOperations, operationsOf, recordable } from '../denials/operations.ts';
import { processOf } from '../evidence.ts';
import { formatAuthority } from '../http/authority.ts';
import type { RequestRecord } from '../inspect/record.ts';
import type { MiddlewareFinding } from '../middleware/verdict.ts';
import type { SqlRecord } from '../sql/options.ts';
import {
  type InferenceEvent,
  inferenceEvent,
  type MessageRecord,
  messageEvent,
  requestEvent,
  statementEvent,
} from './request-events.ts';
import { Throttle } from './throttle.ts';
import { type About, binaryOf, Voice, type VoiceOptions } from './voice.ts';

interface FoundByMiddleware {
  readonly intent: Intent;
  readonly finding: MiddlewareFinding;
  readonly traceId: string;
}

/** Says what became of the requests, messages and statements inside a tenant's connections. */
export class RequestReporter {
  protected readonly voice: Voice;
  readonly #findings: Throttle<FoundByMiddleware>;

  constructor(options: VoiceOptions) {
    const { limits } = options;
    this.voice = new Voice(options);
    this.#findings = new Throttle({
      maxKinds: limits.refusalKinds,
      windowMs: limits.refusalWindow,
      emit: (found, more) => this.#found(found, more),
    });
  }

  /** One request, when it has ended. */
  request(record: RequestRecord): void {
    const {
      intent,
      action,
      code = action,
      reason = code,
      remedy,
      method,
      path,
      policy,
      rule,
      protocol,
    } = record;
    const { sandbox, counters } = this.voice;
    counters.request(action, record.bytesIn, record.bytesOut);
    if (action === 'allowed' || action === 'audited') {
      this.voice.event(requestEvent(record, sandbox));
      return;
    }
    const own =
      action === 'failed' ||
      this.voice.denied(
        intent,
        { stage: 'request', code, rule, policy, protocol },
        { method, path, operations: recordable(operationsOf(record.content)) },
      );
    if (own) this.voice.event(requestEvent(record, sandbox));
    this.voice.tell(record, { code, reason, remedy, subject: `${method} ${path}` });
  }

  /** A WebSocket message that was refused, or is only watched. */
  message(record: MessageRecord): void {
    const { intent, facts, decision } = record;
    const { sandbox } = this.voice;
    if (decision.action !== 'deny') {
      this.voice.event(messageEvent(record, sandbox));
      return;
    }
    const { code, reason, remedy, rule, policy } = decision;
    const { method, path } = facts;
    const from = facts.from === 'server' ? facts.from : undefined;
    const own = this.voice.denied(
      intent,
      { stage: 'message', code, rule, policy, protocol: 'websocket', from },
      { method, path, operations: recordable(operationsOf(facts.content)) },
    );
    if (own) this.voice.event(messageEvent(record, sandbox));
    const { traceId } = record;
    const { generation } = decision;
    this.voice.tell({ intent, traceId, generation }, { code, reason, remedy, subject: `${method} ${path}` });
  }

  /** A message of an MCP or JSON-RPC server that was taken out of what it sent. */
  serverMessageRefused(intent: Intent, message: RpcMessage, traceId: string): void {
    const code = 'server_message_denied';
    const about: About = { intent, traceId };
    const operation = message.method || message.kind;
    const reason = `the server may not send ${operation} to the workload`;
    const operations = operationsOf({ kind: 'rpc', messages: [message], receiveStream: false });
    const kind = { stage: 'message', code, protocol: 'json-rpc', from: 'server' } as const;
    if (this.voice.denied(intent, kind, { operations: recordable(operations) }))
      this.voice.network(about, {
        activity: 'refuse',
        reason,
        unmapped: {
          stage: 'message',
          code,
          protocol: 'json-rpc',
          from: 'server',
          operation,
          operations: recordable(operations),
        },
      });
    const remedy = 'Rules with from: server say what the server may send.';
    this.voice.tell(about, { code, reason, remedy, subject: operation });
  }

  /** One request to inference.local, when it has ended. */
  inference(event: InferenceEvent): void {
    const { intent, record, request } = event;
    const { action, code = action, reason = code } = record;
    this.voice.counters.request(action, record.bytesIn, record.bytesOut);
    const own =
      action !== 'denied' || this.voice.denied(intent, { stage: 'request', code, protocol: 'inference' });
    if (own) this.voice.event(inferenceEvent(event, this.voice.sandbox));
    if (action !== 'allowed') this.voice.tell(event, { code, reason, subject: request.method });
  }

  /** What became of SQL on an inspected connection. */
  statement(intent: Intent, record: SqlRecord, traceId: string): void {
    const { sandbox } = this.voice;
    if (record.kind === 'refused') {
      this.#databaseRefused(intent, record, traceId);
      return;
    }
    const { content, decision } = record;
    const event = statementEvent({ intent, content, decision, traceId }, sandbox);
    if (decision.action !== 'deny') {
      this.voice.event(event);
      return;
    }
    const { code, reason, remedy, rule, policy } = decision;
    const operations = operationsOf(content);
    const kind = { stage: 'statement', code, rule, policy, protocol: 'sql' } as const;
    if (this.voice.denied(intent, kind, { operations: recordable(operations) })) this.voice.event(event);
    const about: About = { intent, traceId, generation: decision.generation };
    this.voice.tell(about, { code, reason, remedy, subject: describeOperations(operations) });
  }

  /** Something that a middleware wants the operator to know of a request or its response. */
  middlewareFinding(intent: Intent, finding: MiddlewareFinding, traceId: string): void {
    const { middleware, code } = finding;
    const key = `${middleware}\0${code}\0${binaryOf(intent) ?? ''}\0${intent.host}\0${intent.port}`;
    this.#findings.add(key, { intent, finding, traceId });
  }

  /** Reports what is still only counted. */
  close(): void {
    this.#findings.flush();
    this.voice.close();
  }

  #databaseRefused(
    intent: Intent,
    { code, reason }: Extract<SqlRecord, { kind: 'refused' }>,
    traceId: string,
  ): void {
    const failed = code === 'client_tls' || code === 'upstream';
    const about: About = { intent, traceId };
    const own = failed || this.voice.denied(intent, { stage: 'statement', code, protocol: 'sql' });
    if (own)
      this.voice.network(about, {
        activity: failed ? 'fail' : 'refuse',
        reason,
        unmapped: { stage: 'statement', code, protocol: 'sql' },
      });
    this.voice.tell(about, { code, reason });
  }

  /** `count` findings of one report, or of `count` reports alike. The trace is that of the first. */
  #found({ intent, finding, traceId }: FoundByMiddleware, more: number): void {
    const { middleware, code, message, severity } = finding;
    this.voice.finding({
      uid: `middleware:${code}`,
      title: `The middleware ${middleware} found something: ${code}`,
      description: message,
      severity,
      traceId,
      process: processOf(intent.evidence),
      count: more === 1 ? finding.count : more,
      unmapped: { middleware, destination: formatAuthority(intent.host, intent.port) },
    });
  }
}
