import {
  type CommonOptions,
  dnsRefusedEvent,
  findingEvent,
  networkEvent,
  type Refusal,
  type SecurityEvent,
} from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Intent } from '@openshell/policy';
import type { EgressRefusal } from '../egress.ts';
import { processOf } from '../evidence.ts';
import { formatAuthority } from '../http/authority.ts';
import type { Limits } from '../limits.ts';
import type { RelayResult } from '../relay/raw-relay.ts';
import type { Connection, Grant } from './connection.ts';
import { Throttle } from './throttle.ts';

export interface ReporterOptions {
  readonly sandbox: SandboxId;
  readonly limits: Limits;
  readonly events: (event: SecurityEvent) => void;
  readonly refusals: (refusal: Refusal) => void;
}

interface RefusedName {
  readonly name: string;
  readonly type: string;
  readonly rcode: 'NXDomain' | 'Refused';
}

/** Something captured on its way past the proxy and not let out. */
export interface RefusedCapture {
  readonly host: string;
  readonly port: number;
  readonly code: string;
  readonly reason: string;
  readonly remedy?: string | undefined;
  readonly policy?: string | undefined;
  readonly intent?: Intent | undefined;
}

const ENGINE = 'builtin';
/** In the place of a policy's name where none decided. */
const NO_POLICY = '-';

/** Says what happened to a tenant's connections, as events for the record and as refusals for the person. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #captures: Throttle<RefusedCapture>;
  readonly #names: Throttle<RefusedName>;

  constructor(options: ReporterOptions) {
    this.#options = options;
    const bounds = { maxKinds: options.limits.refusalKinds, windowMs: options.limits.refusalWindow };
    this.#captures = new Throttle({
      ...bounds,
      emit: (capture, count) => this.#captureEvents(capture, count),
    });
    this.#names = new Throttle({ ...bounds, emit: (name, count) => this.#nameEvent(name, count) });
  }

  opened(grant: Grant): void {
    const { intent, decision, target } = grant;
    this.#network(intent, {
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
    this.#network(intent, {
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
    this.#network(intent, {
      activity: denied ? 'open' : 'fail',
      ...(denied && { action: 'denied' }),
      rule: { name: policy ?? NO_POLICY, type },
      reason,
      message: `${intent.adapter.toUpperCase()} ${denied ? 'denied' : 'failed'} ${formatAuthority(intent.host, intent.port)}`,
      unmapped: { adapter: intent.adapter, generation, code: cause },
    });
    this.#tell(intent, { ...refusal, code: cause });
  }

  /** A captured connection that goes nowhere. */
  refusedCapture(capture: RefusedCapture): void {
    const binary = binaryOf(capture.intent) ?? '';
    this.#captures.add(`${binary}\0${capture.host}\0${capture.port}\0${capture.code}`, capture);
    this.#options.refusals({ ...capture, binary: binaryOf(capture.intent) });
  }

  /** A tunnel to an allowed name in which the client asked for another. */
  contradicted(connection: Connection, grant: Grant, reason: string): void {
    const { intent, decision } = grant;
    const remedy = 'Connect to each name under that name.';
    if (connection.adapter === 'transparent') {
      const { host, port } = intent;
      this.refusedCapture({
        host,
        port,
        code: 'name_contradiction',
        reason,
        remedy,
        policy: decision.policy,
        intent,
      });
      return;
    }
    this.#network(intent, {
      activity: 'refuse',
      rule: { name: decision.policy, type: ENGINE },
      reason,
      unmapped: { adapter: intent.adapter, code: 'name_contradiction' },
    });
    this.#tell(intent, { code: 'name_contradiction', reason, remedy });
  }

  refusedName(refused: RefusedName): void {
    this.#names.add(refused.name, refused);
    this.#options.refusals({
      code: 'name_not_allowed',
      host: refused.name,
      reason: 'no policy allows this name, so it was not looked up',
      remedy: `Allow it with an endpoint { host: ${refused.name}, port: PORT } under network_policies`,
    });
  }

  /** Something that should not happen; the connection was closed. */
  fault(connection: Connection, detail: string): void {
    this.#options.events(
      findingEvent({
        sandbox: this.#options.sandbox,
        uid: 'proxy-fault',
        title: 'The proxy failed to handle a connection and closed it',
        description: detail,
        severity: 'high',
        unmapped: { adapter: connection.adapter },
      }),
    );
  }

  /** Reports what is still only counted. */
  flush(): void {
    this.#captures.flush();
    this.#names.flush();
  }

  #network(intent: Intent, options: Omit<Parameters<typeof networkEvent>[0], 'destination'>): void {
    this.#options.events(
      networkEvent({
        sandbox: this.#options.sandbox,
        process: processOf(intent.evidence),
        destination: { host: intent.host, port: intent.port },
        ...options,
      }),
    );
  }

  #tell(intent: Intent, why: { code: string; reason: string; remedy?: string | undefined }): void {
    const { code, reason, remedy } = why;
    this.#options.refusals({
      code,
      binary: binaryOf(intent),
      host: intent.host,
      port: intent.port,
      reason,
      remedy,
    });
  }

  #captureEvents(capture: RefusedCapture, count: number): void {
    const { host, port, code, reason, policy, intent } = capture;
    const process = intent === undefined ? undefined : processOf(intent.evidence);
    const common: CommonOptions = {
      sandbox: this.#options.sandbox,
      unmapped: { destination: formatAuthority(host, port), code, count },
    };
    this.#options.events(
      networkEvent({
        ...common,
        activity: 'refuse',
        process,
        destination: { host, port },
        rule: { name: policy ?? 'bypass-detect', type: policy === undefined ? 'capture' : ENGINE },
        reason,
      }),
    );
    this.#options.events(
      findingEvent({
        ...common,
        uid: 'bypass-detect',
        title: 'A connection past the proxy was captured and refused',
        description: reason,
        action: 'denied',
        process,
        count,
      }),
    );
  }

  #nameEvent({ name, type, rcode }: RefusedName, count: number): void {
    this.#options.events(
      dnsRefusedEvent({
        sandbox: this.#options.sandbox,
        name,
        type,
        rcode,
        reason: 'no policy allows this name',
        unmapped: { count },
      }),
    );
  }
}

const binaryOf = (intent: Intent | undefined): string | undefined =>
  intent?.evidence.kind === 'process' ? intent.evidence.executable.path : undefined;
