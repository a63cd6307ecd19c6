import { dnsRefusedEvent } from '@openshell/audit';
import type { Intent } from '@openshell/policy';
import type { EgressRefusal } from '../egress.ts';
import { formatAuthority } from '../http/authority.ts';
import type { RelayResult } from '../relay/raw-relay.ts';
import { captureEvents, type RefusedCapture } from './capture-events.ts';
import type { Connection, Grant } from './connection.ts';
import { ENGINE, NO_POLICY } from './request-events.ts';
import { RequestReporter } from './request-reporter.ts';
import { Throttle } from './throttle.ts';
import { binaryOf, type VoiceOptions, type Why } from './voice.ts';

export type { RefusedCapture } from './capture-events.ts';
export type ReporterOptions = VoiceOptions;

interface RefusedName {
  readonly name: string;
  readonly type: string;
  readonly rcode: 'NXDomain' | 'Refused';
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
  readonly #malformed: Throttle<string>;

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
      emit: (detail, count) => this.#malformedFinding(detail, count),
    });
  }

  opened(grant: Grant): void {
    const { intent, decision, target } = grant;
    this.voice.network(intent, {
      activity: 'open',
      action: 'allowed',
      rule: { name: decision.policy, type: ENGINE },
      message: `${intent.adapter.toUpperCase()} allowed ${formatAuthority(intent.host, intent.port)}`,
      unmapped: {
        adapter: intent.adapter,
        generation: decision.generation,
        ...(target !== undefined && { address: formatAuthority(target.address, target.port) }),
      },
    });
  }

  closed(grant: Grant, result: RelayResult): void {
    const { intent, decision } = grant;
    this.voice.network(intent, {
      activity: 'close',
      rule: { name: decision.policy, type: ENGINE },
      traffic: { in: result.in, out: result.out },
      durationMs: result.durationMs,
      ...(result.reason !== undefined && { reason: result.reason }),
    });
  }

  /** A connection that the proxy was asked for and did not make. */
  refused(refusal: EgressRefusal): void {
    const { code, cause, intent, generation, reason, policy } = refusal;
    const denied = code === 'policy_denied' || code === 'ssrf_denied';
    const type = code === 'ssrf_denied' ? 'ssrf' : ENGINE;
    if (!denied || this.voice.denied(intent, { stage: 'connect', code: cause, policy }))
      this.voice.network(intent, {
        activity: denied ? 'open' : 'fail',
        ...(denied && { action: 'denied' }),
        rule: { name: policy ?? NO_POLICY, type },
        reason,
        message: `${intent.adapter.toUpperCase()} ${denied ? 'denied' : 'failed'} ${formatAuthority(intent.host, intent.port)}`,
        unmapped: { adapter: intent.adapter, generation, stage: 'connect', code: cause },
      });
    this.voice.tell(intent, { ...refusal, code: cause });
  }

  /** A captured connection that goes nowhere. */
  refusedCapture(capture: RefusedCapture): void {
    const { host, port, code, policy, intent } = capture;
    const binary = binaryOf(intent);
    const where = { host, port, evidence: intent?.evidence };
    this.voice.denied(where, { stage: 'capture', code, policy }, undefined, { told: true });
    this.#captures.add(`${binary ?? ''}\0${host}\0${port}\0${code}`, capture);
    this.voice.refusal({ ...capture, binary });
  }

  /** A connection to an allowed name in which the client asked for another. */
  contradicted(connection: Connection, grant: Grant, reason: string): void {
    const remedy = 'Connect to each name under that name.';
    this.#refusedInside(connection, grant, { code: 'name_contradiction', reason, remedy });
  }

  /** A connection that is to be inspected and speaks what nobody can inspect. */
  uninspectable(connection: Connection, grant: Grant, reason: string): void {
    const remedy = 'Where another protocol is meant, allow host and port by an endpoint with protocol: tcp.';
    this.#refusedInside(connection, grant, { code: 'not_inspectable', reason, remedy });
  }

  /** TLS with the client did not come about. */
  interceptFailed(intent: Intent, { code, detail, remedy }: InterceptFailure): void {
    this.voice.network(intent, {
      activity: 'fail',
      reason: detail,
      unmapped: { adapter: intent.adapter, code },
    });
    // A client that goes away in the middle was not kept from anything.
    if (code !== 'closed') this.voice.tell(intent, { code, reason: detail, remedy });
  }

  /** Bytes of a client that are no request. They were answered, and their connection is closed. */
  malformedRequest(connection: Connection, detail: string): void {
    const intent = connection.grant?.intent;
    if (intent === undefined) {
      this.#malformed.add(detail, detail);
      return;
    }
    const code = 'request_malformed';
    const { adapter } = intent;
    if (this.voice.denied(intent, { stage: 'request', code }))
      this.voice.network(intent, {
        activity: 'refuse',
        reason: detail,
        unmapped: { adapter, stage: 'request', code },
      });
    this.voice.tell(intent, { code, reason: detail });
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
  fault(connection: Connection, detail: string): void {
    this.voice.finding({
      uid: 'proxy-fault',
      title: 'The proxy failed to handle a connection and closed it',
      description: detail,
      severity: 'high',
      unmapped: { adapter: connection.adapter },
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
  #refusedInside({ adapter }: Connection, { intent, decision }: Grant, why: Why): void {
    const { code, reason, remedy } = why;
    const { host, port } = intent;
    const { policy } = decision;
    if (adapter === 'transparent') {
      this.refusedCapture({ host, port, code, reason, remedy, policy, intent });
      return;
    }
    if (this.voice.denied(intent, { stage: 'connect', code, policy }))
      this.voice.network(intent, {
        activity: 'refuse',
        rule: { name: policy, type: ENGINE },
        reason,
        unmapped: { adapter: intent.adapter, stage: 'connect', code },
      });
    this.voice.tell(intent, why);
  }

  #nameEvent({ name, type, rcode }: RefusedName, count: number): void {
    this.voice.event(
      dnsRefusedEvent({
        sandbox: this.voice.sandbox,
        name,
        type,
        rcode,
        reason: 'no policy allows this name',
        unmapped: { count },
      }),
    );
  }

  #malformedFinding(detail: string, count: number): void {
    this.voice.finding({
      uid: 'malformed-request',
      title: 'A client of the proxy sent what is no request',
      description: detail,
      severity: 'low',
      action: 'denied',
      count,
    });
  }
}
