import { dnsRefusedEvent } from '@openshell/audit';
import type { Intent } from '@openshell/policy';
import type { EgressRefusal } from '../egress.ts';
import { formatAuthority } from '../http/authority.ts';
import type { RelayResult } from '../relay/raw-relay.ts';
import { ofGrant, ofRefusal, ofRefusedCapture, ofRelay } from '../tracing/attributes.ts';
import { captureEvents, type RefusedCapture } from './capture-events.ts';
import type { Connection, Grant } from './connection.ts';
import { ENGINE, NO_POLICY } from './request-events.ts';
import { RequestReporter } from './request-reporter.ts';
import { Throttle } from './throttle.ts';
import { type About, binaryOf, type VoiceOptions, type Why } from './voice.ts';

export type ReporterOptions = VoiceOptions;

/** A connection, as far as events are about it. */
export type Reported = Pick<Connection, 'adapter' | 'grant' | 'trace'>;

/** What goes nowhere, as the adapter knows it. */
export type CaptureRefusal = Omit<RefusedCapture, 'traceId' | 'generation'> & {
  readonly generation?: number | undefined;
};

interface RefusedName {
  readonly name: string;
  readonly type: string;
  readonly rcode: 'NXDomain' | 'Refused';
}

interface Malformed {
  readonly detail: string;
  readonly traceId: string;
}

/** Why TLS with a client did not come about. */
export interface InterceptFailure {
  readonly code: string;
  readonly detail: string;
  readonly remedy?: string | undefined;
}

/** Says what happened to a tenant's connections, and to the requests inside them. */
export class Reporter extends RequestReporter {
  readonly #captures: Throttle<RefusedCapture>;
  readonly #names: Throttle<RefusedName>;
  readonly #malformed: Throttle<Malformed>;

  constructor(options: ReporterOptions) {
    super(options);
    const bounds = { maxKinds: options.limits.refusalKinds, windowMs: options.limits.refusalWindow };
    this.#captures = new Throttle({
      ...bounds,
      emit: (capture, count) => {
        for (const event of captureEvents(capture, count, this.voice.sandbox)) this.voice.event(event);
      },
    });
    this.#names = new Throttle({ ...bounds, emit: (name, count) => this.#nameEvent(name, count) });
    this.#malformed = new Throttle({
      ...bounds,
      emit: (malformed, count) => this.#malformedFinding(malformed, count),
    });
  }

  opened({ grant, trace }: Reported): void {
    const { intent, decision, target } = grant!;
    const { generation } = decision;
    trace.set(() => ofGrant(grant!));
    this.voice.counters.connectionsAllowed += 1;
    this.voice.network(
      { intent, generation, traceId: trace.id },
      {
        activity: 'open',
        action: 'allowed',
        rule: { name: decision.policy, type: ENGINE },
        message: `${intent.adapter.toUpperCase()} allowed ${formatAuthority(intent.host, intent.port)}`,
        ...(target !== undefined && { unmapped: { address: formatAuthority(target.address, target.port) } }),
      },
    );
  }

  /** Nobody looked inside: what it has moved is counted here. */
  closed(connection: Reported, result: RelayResult): void {
    this.voice.counters.traffic(result.in, result.out);
    this.closedInspected(connection, result);
  }

  /** What requests have moved was counted with each of them; `result` is what went between the client and the proxy. */
  closedInspected({ grant, trace }: Reported, result: RelayResult): void {
    const { intent, decision } = grant!;
    const { generation } = decision;
    trace.set(() => ofRelay(result));
    this.voice.network(
      { intent, generation, traceId: trace.id },
      {
        activity: 'close',
        rule: { name: decision.policy, type: ENGINE },
        traffic: { in: result.in, out: result.out },
        durationMs: result.durationMs,
        ...(result.reason !== undefined && { reason: result.reason }),
      },
    );
  }

  /** A connection that the proxy was asked for and did not make. */
  refused({ trace }: Reported, refusal: EgressRefusal): void {
    const { code, cause, intent, generation, reason, policy } = refusal;
    const about: About = { intent, generation, traceId: trace.id };
    const denied = code === 'policy_denied' || code === 'ssrf_denied';
    const type = code === 'ssrf_denied' ? 'ssrf' : ENGINE;
    // Each request to the forward proxy is refused by itself, counts as a request, and has a span of its own.
    const isRequest = intent.adapter === 'forward';
    if (!isRequest) trace.fail(cause, () => ofRefusal(refusal));
    const denial = isRequest ? 'requestsDenied' : 'connectionsDenied';
    this.voice.counters[denied ? denial : 'upstreamFailures'] += 1;
    if (!denied || this.voice.denied(intent, { stage: 'connect', code: cause, policy }))
      this.voice.network(about, {
        activity: denied ? 'open' : 'fail',
        ...(denied && { action: 'denied' }),
        rule: { name: policy ?? NO_POLICY, type },
        reason,
        message: `${intent.adapter.toUpperCase()} ${denied ? 'denied' : 'failed'} ${formatAuthority(intent.host, intent.port)}`,
        unmapped: { stage: 'connect', code: cause },
      });
    this.voice.tell(about, { ...refusal, code: cause });
  }

  /** A captured connection that goes nowhere. */
  refusedCapture({ trace }: Reported, refused: CaptureRefusal): void {
    const { host, port, code, reason, remedy, policy, intent } = refused;
    const generation = refused.generation ?? this.voice.generation();
    const traceId = trace.id;
    const capture: RefusedCapture = { host, port, code, reason, remedy, policy, intent, traceId, generation };
    trace.fail(code, () => ofRefusedCapture(capture));
    this.voice.counters.connectionsDenied += 1;
    const binary = binaryOf(intent);
    const where = { host, port, evidence: intent?.evidence };
    this.voice.denied(where, { stage: 'capture', code, policy }, undefined, { told: true });
    this.#captures.add(`${binary ?? ''}\0${host}\0${port}\0${code}`, capture);
    this.voice.refusal({ code, binary, host, port, reason, remedy, traceId, generation });
  }

  /** A connection to an allowed name in which the client asked for another. */
  contradicted(connection: Reported, grant: Grant, reason: string): void {
    const remedy = 'Connect to each name under that name.';
    this.#refusedInside(connection, grant, { code: 'name_contradiction', reason, remedy });
  }

  /** A connection that is to be inspected and speaks what nobody can inspect. */
  uninspectable(connection: Reported, grant: Grant, reason: string): void {
    const remedy = 'Where another protocol is meant, allow host and port by an endpoint with protocol: tcp.';
    this.#refusedInside(connection, grant, { code: 'not_inspectable', reason, remedy });
  }

  /** TLS with the client did not come about. */
  interceptFailed(
    { grant, trace }: Reported,
    intent: Intent,
    { code, detail, remedy }: InterceptFailure,
  ): void {
    const about: About = { intent, generation: grant?.decision.generation, traceId: trace.id };
    trace.fail(code);
    this.voice.network(about, { activity: 'fail', reason: detail, unmapped: { code } });
    // A client that goes away in the middle was not kept from anything.
    if (code !== 'closed') this.voice.tell(about, { code, reason: detail, remedy });
  }

  /** Bytes of a client that are no request. They were answered, and their connection is closed. */
  malformedRequest({ grant, trace }: Reported, detail: string): void {
    const code = 'request_malformed';
    trace.fail(code);
    if (grant === undefined) {
      this.#malformed.add(detail, { detail, traceId: trace.id });
      return;
    }
    const { intent, decision } = grant;
    const about: About = { intent, generation: decision.generation, traceId: trace.id };
    if (this.voice.denied(intent, { stage: 'request', code }))
      this.voice.network(about, { activity: 'refuse', reason: detail, unmapped: { stage: 'request', code } });
    this.voice.tell(about, { code, reason: detail });
  }

  refusedName(refused: RefusedName): void {
    this.#names.add(refused.name, refused);
    this.voice.refusal({
      code: 'name_not_allowed',
      host: refused.name,
      reason: 'no policy allows this name, so it was not looked up',
      remedy: `Allow it with an endpoint { host: ${refused.name}, port: PORT } under network_policies`,
    });
  }

  /** Something that should not happen; the connection was closed. */
  fault({ adapter, trace }: Reported, detail: string): void {
    trace.fail('internal_error');
    this.voice.finding({
      uid: 'proxy-fault',
      title: 'The proxy failed to handle a connection and closed it',
      description: detail,
      severity: 'high',
      traceId: trace.id,
      unmapped: { adapter },
    });
  }

  /** Reports what is still only counted. */
  override close(): void {
    this.#captures.flush();
    this.#names.flush();
    this.#malformed.flush();
    super.close();
  }

  /** An allowed connection is ended for what the client sent on it. */
  #refusedInside(connection: Reported, { intent, decision }: Grant, why: Why): void {
    const { code, reason, remedy } = why;
    const { host, port } = intent;
    const { policy, generation } = decision;
    const { adapter, trace } = connection;
    if (adapter === 'transparent') {
      this.refusedCapture(connection, { host, port, code, reason, remedy, policy, intent, generation });
      return;
    }
    const about: About = { intent, generation, traceId: trace.id };
    trace.fail(code);
    this.voice.counters.connectionsDenied += 1;
    if (this.voice.denied(intent, { stage: 'connect', code, policy }))
      this.voice.network(about, {
        activity: 'refuse',
        rule: { name: policy, type: ENGINE },
        reason,
        unmapped: { stage: 'connect', code },
      });
    this.voice.tell(about, why);
  }

  #nameEvent({ name, type, rcode }: RefusedName, count: number): void {
    this.voice.event(
      dnsRefusedEvent({
        sandbox: this.voice.sandbox,
        name,
        type,
        rcode,
        reason: 'no policy allows this name',
        unmapped: { generation: this.voice.generation(), count },
      }),
    );
  }

  #malformedFinding({ detail, traceId }: Malformed, count: number): void {
    this.voice.finding({
      uid: 'malformed-request',
      title: 'A client of the proxy sent what is no request',
      description: detail,
      severity: 'low',
      action: 'denied',
      traceId,
      count,
    });
  }
}
