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

/** OCSF 4001 `activity_id`. */
const ACTIVITIES = {
  open: { id: 1, name: 'Open' },
  close: { id: 2, name: 'Close' },
  fail: { id: 4, name: 'Fail' },
  refuse: { id: 5, name: 'Refuse' },
  traffic: { id: 6, name: 'Traffic' },
} as const;

export type NetworkActivity = keyof typeof ACTIVITIES;

/** OCSF profile `security_control`: what was done about it. */
export const ACTIONS = {
  allowed: { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' },
  denied: { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' },
} as const;

export type Action = keyof typeof ACTIONS;

/** OCSF 4001. */
export interface NetworkEvent extends BaseEvent {
  readonly class_uid: 4001;
  readonly action_id?: 1 | 2;
  readonly action?: 'Allowed' | 'Denied';
  readonly disposition_id?: 1 | 2;
  readonly disposition?: 'Allowed' | 'Blocked';
  readonly actor?: { readonly process: OcsfProcess };
  readonly src_endpoint?: OcsfEndpoint;
  readonly dst_endpoint: OcsfEndpoint;
  readonly connection_info: {
    readonly direction_id: 2;
    readonly direction: 'Outbound';
    readonly protocol_name: 'tcp' | 'udp';
  };
  readonly firewall_rule?: RuleOptions;
  readonly traffic?: { readonly bytes_in: number; readonly bytes_out: number; readonly bytes: number };
  /** Milliseconds that the connection lived. */
  readonly duration?: number;
}

export interface NetworkOptions extends CommonOptions {
  readonly activity: NetworkActivity;
  readonly action?: Action | undefined;
  readonly process?: ProcessOptions | undefined;
  readonly source?: EndpointOptions | undefined;
  readonly destination: EndpointOptions;
  readonly protocol?: 'tcp' | 'udp' | undefined;
  readonly rule?: RuleOptions | undefined;
  /** Why, for a person. */
  readonly reason?: string | undefined;
  /** Bytes seen from the sandbox: `in` came back to it, `out` left it. */
  readonly traffic?: { readonly in: number; readonly out: number } | undefined;
  readonly durationMs?: number | undefined;
}

const DEFAULT_SEVERITY = {
  open: 'info',
  close: 'info',
  fail: 'low',
  refuse: 'medium',
  traffic: 'info',
} as const;

/** An attempt to reach a network, or its end. A refusal without an action is a denial. */
export function networkEvent(options: NetworkOptions): NetworkEvent {
  const { activity, process, source, traffic, reason, rule, durationMs } = options;
  const action = options.action ?? (activity === 'refuse' ? 'denied' : undefined);
  const severity = options.severity ?? (action === 'denied' ? 'medium' : DEFAULT_SEVERITY[activity]);
  return {
    ...baseEvent('network', ACTIVITIES[activity], { ...options, severity }),
    ...(action !== undefined && ACTIONS[action]),
    ...(process !== undefined && { actor: { process: ocsfProcess(process) } }),
    ...(source !== undefined && { src_endpoint: ocsfEndpoint(source) }),
    dst_endpoint: ocsfEndpoint(options.destination),
    connection_info: { direction_id: 2, direction: 'Outbound', protocol_name: options.protocol ?? 'tcp' },
    ...(rule !== undefined && { firewall_rule: { name: rule.name, type: rule.type } }),
    ...(reason !== undefined && { status_detail: reason }),
    ...(traffic !== undefined && {
      traffic: { bytes_in: traffic.in, bytes_out: traffic.out, bytes: traffic.in + traffic.out },
    }),
    ...(durationMs !== undefined && { duration: durationMs }),
  };
}
