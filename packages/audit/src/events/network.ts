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

/** OCSF 4001 `activity_id`. */
const ACTIVITIES = {
  open: { id: 1, name: 'Open' },
  close: { id: 2, name: 'Close' },
  fail: { id: 4, name: 'Fail' },
  refuse: { id: 5, name: 'Refuse' },
  traffic: { id: 6, name: 'Traffic' },
  /** No activity of the schema: a statement of a database protocol on an open connection. */
  statement: { id: 99, name: 'Statement' },
} as const;

export type NetworkActivity = keyof typeof ACTIVITIES;

/** OCSF profile `security_control`: what was done about it. */
export const ACTIONS = {
  allowed: { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' },
  /** Policy would deny it and only watches: "a policy violation was detected without further action". */
  audited: { action_id: 3, action: 'Observed', disposition_id: 15, disposition: 'Detected' },
  denied: { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' },
  /** Nobody denied it, and yet it did not come about. */
  failed: { action_id: 1, action: 'Allowed', disposition_id: 27, disposition: 'Error' },
} as const;

export type Action = keyof typeof ACTIONS;
type Outcome = (typeof ACTIONS)[Action];

/** What an event says about the outcome. */
export interface SecurityControl {
  readonly action_id: Outcome['action_id'];
  readonly action: Outcome['action'];
  readonly disposition_id: Outcome['disposition_id'];
  readonly disposition: Outcome['disposition'];
}

/** OCSF 4001. */
export interface NetworkEvent extends BaseEvent, Partial<SecurityControl> {
  readonly class_uid: 4001;
  readonly actor?: { readonly process: OcsfProcess };
  readonly src_endpoint?: OcsfEndpoint;
  readonly dst_endpoint: OcsfEndpoint;
  readonly connection_info: {
    readonly direction_id: 2;
    readonly direction: 'Outbound';
    readonly protocol_name: 'tcp' | 'udp';
  };
  readonly firewall_rule?: OcsfRule;
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
  statement: 'info',
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
    ...(rule !== undefined && { firewall_rule: ocsfRule(rule) }),
    ...(reason !== undefined && { status_detail: reason }),
    ...(traffic !== undefined && {
      traffic: { bytes_in: traffic.in, bytes_out: traffic.out, bytes: traffic.in + traffic.out },
    }),
    ...(durationMs !== undefined && { duration: durationMs }),
  };
}
