import {
  type EndpointOptions,
  type OcsfEndpoint,
  type OcsfProcess,
  type OcsfRule,
  ocsfEndpoint,
  ocsfProcess,
  ocsfRule,
  type ProcessOptions,
  type RuleOptions,
} from '../objects.ts';
import { type BaseEvent, baseEvent, type CommonOptions } from '../ocsf.ts';
import { ACTIONS, type Action, type SecurityControl } from './network.ts';

/** OCSF 4002 `activity_id`: one for each method, 99 for any other. */
const METHODS = new Map([
  ['CONNECT', { id: 1, name: 'Connect' }],
  ['DELETE', { id: 2, name: 'Delete' }],
  ['GET', { id: 3, name: 'Get' }],
  ['HEAD', { id: 4, name: 'Head' }],
  ['OPTIONS', { id: 5, name: 'Options' }],
  ['POST', { id: 6, name: 'Post' }],
  ['PUT', { id: 7, name: 'Put' }],
  ['TRACE', { id: 8, name: 'Trace' }],
  ['PATCH', { id: 9, name: 'Patch' }],
]);
const OTHER = { id: 99, name: 'Other' };

/** OCSF 4002. */
export interface HttpEvent extends BaseEvent, SecurityControl {
  readonly class_uid: 4002;
  readonly actor?: { readonly process: OcsfProcess } | undefined;
  readonly dst_endpoint: OcsfEndpoint;
  readonly http_request: {
    readonly http_method: string;
    readonly url: {
      readonly scheme: string;
      readonly hostname: string;
      readonly path: string;
      readonly port: number;
    };
    /** `1.0`, `1.1` or `2`. */
    readonly version?: string | undefined;
  };
  readonly http_response?: { readonly code: number } | undefined;
  readonly firewall_rule?: OcsfRule | undefined;
  readonly traffic?:
    | { readonly bytes_in: number; readonly bytes_out: number; readonly bytes: number }
    | undefined;
  /** Milliseconds from the head of the request to the end of the response. */
  readonly duration?: number | undefined;
}

export interface HttpOptions extends CommonOptions {
  readonly action: Action;
  readonly process?: ProcessOptions | undefined;
  readonly destination: EndpointOptions & { readonly port: number };
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** What follows a `?` is cut off here: queries carry secrets. */
  readonly path: string;
  readonly version?: string | undefined;
  /** What the client was answered. Absent: nothing. */
  readonly status?: number | undefined;
  readonly rule?: RuleOptions | undefined;
  readonly reason?: string | undefined;
  /** Content bytes seen from the sandbox: `in` came back to it, `out` left it. */
  readonly traffic?: { readonly in: number; readonly out: number } | undefined;
  readonly durationMs?: number | undefined;
}

const SEVERITY = { allowed: 'info', audited: 'low', denied: 'medium', failed: 'low' } as const;

/**
 * One HTTP request, or one message of a protocol inside HTTP: let through, refused, or failed. There is one for every request, so
 * this is a hot path: written out as one literal, it is an object of one shape, which takes a third of the time to turn into JSON.
 */
export function httpEvent(options: HttpOptions): HttpEvent {
  const { destination, process, rule, reason, status, traffic, version, durationMs } = options;
  const base = baseEvent('http', METHODS.get(options.method) ?? OTHER, options, SEVERITY[options.action]);
  const outcome = ACTIONS[options.action];
  return {
    class_uid: base.class_uid,
    class_name: base.class_name,
    category_uid: base.category_uid,
    category_name: base.category_name,
    activity_id: base.activity_id,
    activity_name: base.activity_name,
    type_uid: base.type_uid,
    severity_id: base.severity_id,
    severity: base.severity,
    time: base.time,
    metadata: base.metadata,
    trace: base.trace,
    message: base.message,
    action_id: outcome.action_id,
    action: outcome.action,
    disposition_id: outcome.disposition_id,
    disposition: outcome.disposition,
    actor: process === undefined ? undefined : { process: ocsfProcess(process) },
    dst_endpoint: ocsfEndpoint(destination),
    http_request: {
      http_method: options.method,
      url: {
        scheme: options.scheme,
        hostname: destination.host,
        path: withoutQuery(options.path),
        port: destination.port,
      },
      version,
    },
    http_response: status === undefined ? undefined : { code: status },
    firewall_rule: rule === undefined ? undefined : ocsfRule(rule),
    traffic: traffic && {
      bytes_in: traffic.in,
      bytes_out: traffic.out,
      bytes: traffic.in + traffic.out,
    },
    duration: durationMs,
    status_detail: reason,
    unmapped: base.unmapped,
  };
}

function withoutQuery(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}
