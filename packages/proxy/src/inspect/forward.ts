import type { RequestFacts, Treatment } from '@openshell/policy';
import { wantsServerMessages } from '@openshell/policy';
import { type Injection, isRefusal } from '../credentials/injection.ts';
import { planDestination } from '../destination/plan.ts';
import type { BodyLength, BodyReceiver, BodySink, BodySource } from '../exchange/body.ts';
import type {
  ClientExchange,
  OutgoingRequest,
  ResponseHead,
  UpgradedStream,
  UpstreamConnection,
  UpstreamFailure,
  UpstreamListener,
} from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { TRACE_FIELD } from '../http/trace-field.ts';
import type { MiddlewareStages } from '../middleware/chain.ts';
import type { MiddlewareFinding } from '../middleware/verdict.ts';
import { filterServerMessages } from '../rpc/server-messages.ts';
import type { Grant } from '../tenant/connection.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { UpstreamTrace } from '../tracing/upstream-trace.ts';
import type { UpstreamDestination } from '../upstream/destination.ts';
import type { WebSocketRelay } from '../websocket/relay.ts';
import { Pump } from './pump.ts';
import type { InspectionContext } from './session.ts';
import { completeUpgrade, type UpgradePlan } from './upgrade.ts';

/** How an exchange has ended after it was let through. */
export type ForwardEnd =
  | { readonly kind: 'answered'; readonly status: number; readonly bytesIn: number }
  /** Nothing was answered yet: the proxy has to. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly code: string;
      readonly detail: string;
      readonly remedy?: string | undefined;
      /** By policy, rather than by a failure on the way. */
      readonly denied: boolean;
    }
  /** It broke off; the client has been told by the end of its connection or stream. */
  | { readonly kind: 'broken'; readonly status: number; readonly bytesIn: number; readonly reason: string };

export interface ForwardOptions {
  readonly context: InspectionContext;
  readonly exchange: ClientExchange;
  readonly grant: Grant;
  readonly treatment: Treatment | undefined;
  readonly stages: MiddlewareStages | undefined;
  readonly request: OutgoingRequest;
  readonly source: BodySource;
  readonly injection: Injection | undefined;
  readonly facts: RequestFacts | undefined;
  /** Set where the request asks for another protocol. */
  readonly plan: UpgradePlan | undefined;
  readonly traceId: string;
  /** Where somebody wants to see more of it than its id. */
  readonly trace: RequestTrace | undefined;
  readonly onBytesOut: (bytes: number) => void;
  /** Called once. */
  readonly onEnd: (end: ForwardEnd) => void;
}

export interface Forwarded {
  /** Set once it has become a WebSocket. */
  readonly relay: WebSocketRelay | undefined;
  /** The client has gone. */
  abort(reason: string): void;
  /** Policy no longer allows it. */
  revoke(reason: string): void;
}

/** Sends an allowed request to its upstream and the response back to the client. */
export function forward(options: ForwardOptions): Forwarded {
  const forwarding = new Forwarding(options);
  forwarding.begin();
  return forwarding;
}

const STATUSES: Readonly<Record<UpstreamFailure['code'], number>> = {
  resolve_failed: 502,
  ssrf_denied: 403,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_untrusted: 502,
  upstream_protocol: 502,
};

/** RFC 9110 section 9.2.2: what may be sent once more when the connection was closed under it. */
const IDEMPOTENT = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'PROPFIND',
  'REPORT',
  'SEARCH',
]);
const NO_TRAILERS: readonly HeaderField[] = [];
const NO_BODY: BodyLength = { kind: 'none' };
const STREAM: BodyLength = { kind: 'stream' };

class Forwarding implements Forwarded, UpstreamListener {
  readonly #options: ForwardOptions;
  #upstream: BodySink | undefined;
  #relay: WebSocketRelay | undefined;
  #retried = false;
  #status = 0;
  /** The request is with the upstream to its end. */
  #sent = false;
  #over = false;
  #response: Pump | undefined;
  #trace: UpstreamTrace | undefined;

  constructor(options: ForwardOptions) {
    this.#options = options;
  }

  get relay(): WebSocketRelay | undefined {
    return this.#relay;
  }

  begin(): void {
    const { trace, grant, request } = this.#options;
    if (trace !== undefined) this.#trace ??= trace.upstream(grant.intent, request);
    const pending = this.#options.context.pool.acquire(this.#destination(), this.#options.context.signal);
    if (pending instanceof Promise) void pending.then((acquired) => this.#acquired(acquired));
    else this.#acquired(pending);
  }

  abort(reason: string): void {
    if (this.#over) return;
    if (this.#relay !== undefined) {
      this.#relay.close(1001, reason);
      return;
    }
    this.#break(reason);
  }

  revoke(reason: string): void {
    if (this.#over) return;
    if (this.#relay !== undefined) {
      this.#relay.close(1012, 'policy changed');
      return;
    }
    if (this.#status === 0) this.#refuse(403, 'policy_denied', reason, undefined, true);
    else {
      this.#options.exchange.abort(reason);
      this.#break(reason);
    }
  }

  #destination(): UpstreamDestination {
    const { context, grant, request, exchange, injection } = this.#options;
    const { host, port } = grant.intent;
    const rule = grant.decision.destination;
    const two = exchange.request.version === '2' && request.upgrade === undefined;
    return {
      scheme: request.scheme,
      host,
      port,
      protocols: !two ? ONE : request.scheme === 'https' ? BOTH : TWO,
      partition: injection?.used?.names.join(' ') ?? '',
      rule,
      plan: () => planDestination(context.planner, { host, port, rule }),
    };
  }

  #acquired(acquired: UpstreamConnection | UpstreamFailure): void {
    if (this.#over) return;
    if (!('start' in acquired)) {
      this.failed(acquired);
      return;
    }
    const revoked = this.#options.injection?.recheck();
    if (revoked !== undefined) {
      this.#refuse(revoked.status, revoked.error, revoked.detail, revoked.remedy);
      return;
    }
    this.#trace?.connected(acquired.peer);
    const { request, source, injection } = this.#options;
    const length = requestLength(source, request.method);
    this.#upstream = acquired.start(request, length, this);
    if (length.kind === 'none') {
      this.#sent = true;
      this.#upstream.end(NO_TRAILERS);
      return;
    }
    const pump = new Pump((failure) => {
      this.#sent = true;
      this.#options.onBytesOut(pump.bytes);
      if (failure !== undefined) this.#requestFailed(failure);
    });
    const receiver = injection?.body.kind === 'stream' ? injection.body.wrap(pump) : pump;
    pump.run(source, this.#upstream, receiver);
  }

  /** The request's body broke off: by the client, who has gone, or by the guard that holds placeholders back. */
  #requestFailed(reason: string): void {
    if (this.#over || this.#status !== 0) return;
    this.#options.source.cancel();
    this.#refuse(403, 'credential_injection_failed', reason, undefined, true);
  }

  continue(): void {
    this.#options.exchange.continue();
  }

  interim(head: ResponseHead): void {
    const used = this.#options.injection?.used;
    this.#options.exchange.interim(used === undefined ? head : { ...head, fields: used.fields(head.fields) });
  }

  response(head: ResponseHead, body: BodySource): void {
    if (this.#over) {
      body.cancel();
      return;
    }
    const { exchange, injection, treatment, stages, context, grant, traceId } = this.#options;
    let [shown, source] = [head, body];
    if (injection?.used !== undefined) {
      const masked = injection.used.response(head, body);
      if (isRefusal(masked)) {
        body.cancel();
        this.#refuse(masked.status, masked.error, masked.detail, masked.remedy);
        return;
      }
      [shown, source] = [masked.head, masked.body];
    }
    if (treatment !== undefined && wantsServerMessages(treatment))
      source = this.#filtered(shown, source, treatment);
    const pump = new Pump((failure) => this.#responseEnded(failure));
    let length = responseLength(source, exchange.request.method, head);
    let receiver: BodyReceiver = pump;
    if (stages?.filtersResponses === true && length.kind !== 'none') {
      const onFinding = (finding: MiddlewareFinding): void =>
        context.reporter.middlewareFinding(grant.intent, finding, traceId);
      const filter = stages.wrapResponse(shown, pump, onFinding);
      if (filter.kind === 'failed') {
        body.cancel();
        this.#refuse(filter.status, filter.error, filter.detail);
        return;
      }
      if (filter.kind === 'filtered') [shown, receiver, length] = [filter.head, filter.receiver, STREAM];
    }
    this.#status = head.status;
    this.#trace?.answered(head.status);
    // What only the proxy says, an origin cannot say in its place.
    const fields = shown.fields.filter(({ lowerName }) => !lowerName.startsWith(OWN_PREFIX));
    fields.push({ name: TRACE_FIELD, lowerName: TRACE_LOWER, value: traceId });
    const sink = exchange.respond({ status: head.status, fields }, length);
    this.#response = pump;
    pump.run(source, sink, receiver);
  }

  #filtered(head: ResponseHead, body: BodySource, treatment: Treatment): BodySource {
    const { context, grant, facts } = this.#options;
    const { endpoint } = treatment;
    if (endpoint.protocol !== 'mcp' && endpoint.protocol !== 'json-rpc') return body;
    return filterServerMessages(body, {
      head,
      dialect: { protocol: endpoint.protocol, strictToolNames: endpoint.mcp?.strictToolNames ?? true },
      limits: context.limits,
      budget: context.held,
      decide: async (message) => {
        const { engine } = context.settings();
        const decision = await engine.authorizeRequest(grant.intent, {
          method: facts?.method ?? 'POST',
          path: facts?.path ?? '/',
          query: [],
          from: 'server',
          content: { kind: 'rpc', messages: [message], receiveStream: false },
        });
        return decision.action !== 'deny';
      },
      onRefused: (message) =>
        context.reporter.serverMessageRefused(grant.intent, message, this.#options.traceId),
    });
  }

  upgraded(head: ResponseHead, stream: UpgradedStream): void {
    if (this.#over) {
      stream.socket.destroy();
      return;
    }
    const { exchange, plan, injection, context, traceId } = this.#options;
    const upgrade =
      plan === undefined
        ? ({ kind: 'refused', detail: 'the upstream changed to a protocol that nobody asked for' } as const)
        : completeUpgrade({
            ...{ context, exchange, plan, injection, head, stream, traceId },
            onEnd: ({ bytesIn, bytesOut, reason }) => {
              this.#options.onBytesOut(bytesOut);
              this.#end(
                reason === undefined
                  ? { kind: 'answered', status: 101, bytesIn }
                  : { kind: 'broken', status: 101, bytesIn, reason },
              );
            },
          });
    if (upgrade.kind === 'refused') {
      stream.socket.destroy();
      this.#refuse(502, 'upstream_protocol', upgrade.detail);
      return;
    }
    this.#status = 101;
    this.#trace?.answered(101);
    this.#relay = upgrade.relay;
  }

  failed(failure: UpstreamFailure): void {
    if (this.#over) return;
    const { source, request } = this.#options;
    if (failure.retry && !this.#retried && source.length === 0 && IDEMPOTENT.has(request.method)) {
      this.#retried = true;
      this.#trace?.again();
      this.begin();
      return;
    }
    this.#refuse(
      STATUSES[failure.code],
      failure.code,
      failure.detail,
      failure.remedy,
      failure.code === 'ssrf_denied',
    );
  }

  #responseEnded(failure: string | undefined): void {
    if (this.#over) return;
    if (failure !== undefined) {
      this.#break(failure);
      return;
    }
    this.#end({ kind: 'answered', status: this.#status, bytesIn: this.#bytesIn });
    if (this.#sent) return;
    // With the response complete there is nothing more to ask; what is left of the request would be for nobody.
    this.#options.source.cancel();
    this.#upstream?.abort('the response is complete');
  }

  get #bytesIn(): number {
    return this.#response?.bytes ?? 0;
  }

  // What the upstream says to being given up is not what went wrong: the end comes first.

  #break(reason: string): void {
    this.#end({ kind: 'broken', status: this.#status, bytesIn: this.#bytesIn, reason });
    this.#upstream?.abort(reason);
  }

  #refuse(status: number, code: string, detail: string, remedy?: string, denied = false): void {
    this.#end({ kind: 'refused', status, code, detail, remedy, denied });
    this.#upstream?.abort(detail);
  }

  #end(end: ForwardEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#trace?.end(end.kind === 'answered' ? undefined : end.kind === 'refused' ? end.code : 'broken');
    this.#options.onEnd(end);
  }
}

const ONE = ['h1'] as const;
const TWO = ['h2'] as const;
const BOTH = ['h2', 'h1'] as const;
const OWN_PREFIX = 'x-openshell-';
const TRACE_LOWER = TRACE_FIELD.toLowerCase();

/** RFC 9110 section 8.6: methods for which an empty body means something are said to have one. */
const WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH']);

function requestLength(source: BodySource, method: string): BodyLength {
  if (source.length === undefined) return STREAM;
  if (source.length === 0 && !WITH_CONTENT.has(method)) return NO_BODY;
  return { kind: 'length', length: source.length };
}

function responseLength(source: BodySource, method: string, head: ResponseHead): BodyLength {
  const { status, declaredLength } = head;
  if (method === 'HEAD' || status === 304)
    return declaredLength === undefined ? NO_BODY : { kind: 'none', declared: declaredLength };
  if (status === 204 || status === 205) return NO_BODY;
  return source.length === undefined ? STREAM : { kind: 'length', length: source.length };
}
