import {
  type EndpointOptions,
  type OcsfEndpoint,
  type OcsfProcess,
  ocsfEndpoint,
  ocsfProcess,
  type ProcessOptions,
  type RuleOptions,
} from '../objects.ts';
import { type BaseEvent, baseEvent, type CommonOptions } from '../ocsf.ts';
import { ACTIONS, type Action } from './network.ts';

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
export interface HttpEvent extends BaseEvent {
  readonly class_uid: 4002;
  readonly action_id: 1 | 2;
  readonly action: 'Allowed' | 'Denied';
  readonly disposition_id: 1 | 2;
  readonly disposition: 'Allowed' | 'Blocked';
  readonly actor?: { readonly process: OcsfProcess };
  readonly dst_endpoint: OcsfEndpoint;
  readonly http_request: {
    readonly http_method: string;
    readonly url: {
      readonly scheme: string;
      readonly hostname: string;
      readonly path: string;
      readonly port: number;
    };
  };
  readonly firewall_rule?: RuleOptions;
}

export interface HttpOptions extends CommonOptions {
  readonly action: Action;
  readonly process?: ProcessOptions | undefined;
  readonly destination: EndpointOptions & { readonly port: number };
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** What follows a `?` is cut off here: queries carry secrets. */
  readonly path: string;
  readonly rule?: RuleOptions | undefined;
  readonly reason?: string | undefined;
}

/** One HTTP request that was let through or refused. */
export function httpEvent(options: HttpOptions): HttpEvent {
  const { destination, process, rule, reason } = options;
  const path = options.path.split(/[?#]/, 1)[0] ?? '';
  const severity = options.severity ?? (options.action === 'denied' ? 'medium' : 'info');
  return {
    ...baseEvent('http', METHODS.get(options.method) ?? OTHER, { ...options, severity }),
    ...ACTIONS[options.action],
    ...(process !== undefined && { actor: { process: ocsfProcess(process) } }),
    dst_endpoint: ocsfEndpoint(destination),
    http_request: {
      http_method: options.method,
      url: { scheme: options.scheme, hostname: destination.host, path, port: destination.port },
    },
    ...(rule !== undefined && { firewall_rule: { name: rule.name, type: rule.type } }),
    ...(reason !== undefined && { status_detail: reason }),
  };
}
