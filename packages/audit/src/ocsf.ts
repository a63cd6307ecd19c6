import type { SandboxId } from '@openshell/base';

/** The version of the schema that every event states. */
export const OCSF_VERSION = '1.8.0';

/** The event classes in use, with their category (OCSF 1.8.0, "Classes"). */
export const CLASSES = {
  process: { uid: 1007, name: 'Process Activity', categoryUid: 1, category: 'System Activity' },
  finding: { uid: 2004, name: 'Detection Finding', categoryUid: 2, category: 'Findings' },
  network: { uid: 4001, name: 'Network Activity', categoryUid: 4, category: 'Network Activity' },
  http: { uid: 4002, name: 'HTTP Activity', categoryUid: 4, category: 'Network Activity' },
  dns: { uid: 4003, name: 'DNS Activity', categoryUid: 4, category: 'Network Activity' },
  config: { uid: 5019, name: 'Device Config State Change', categoryUid: 5, category: 'Discovery' },
  lifecycle: { uid: 6002, name: 'Application Lifecycle', categoryUid: 6, category: 'Application Activity' },
} as const;

export type ClassName = keyof typeof CLASSES;
export type ClassUid = (typeof CLASSES)[ClassName]['uid'];

/** How much somebody should care; the caption and number of OCSF's `severity_id`. */
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical' | 'fatal';

const SEVERITIES: Record<Severity, { id: number; caption: string }> = {
  info: { id: 1, caption: 'Informational' },
  low: { id: 2, caption: 'Low' },
  medium: { id: 3, caption: 'Medium' },
  high: { id: 4, caption: 'High' },
  critical: { id: 5, caption: 'Critical' },
  fatal: { id: 6, caption: 'Fatal' },
};

/** Anything that JSON can hold. */
export type UnmappedValue =
  | string
  | number
  | boolean
  | readonly UnmappedValue[]
  | { readonly [name: string]: UnmappedValue | undefined };

/** Facts that the schema has no field for. Lines for people show the plain ones. */
export type Unmapped = { readonly [name: string]: UnmappedValue | undefined };

/** What every event has (OCSF `base_event`). */
export interface BaseEvent {
  readonly class_uid: ClassUid;
  readonly class_name: string;
  readonly category_uid: number;
  readonly category_name: string;
  readonly activity_id: number;
  readonly activity_name: string;
  /** `class_uid * 100 + activity_id`. */
  readonly type_uid: number;
  readonly severity_id: number;
  readonly severity: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly metadata: {
    readonly version: typeof OCSF_VERSION;
    readonly product: { readonly name: 'OpenShell'; readonly vendor_name: 'OpenShell' };
    /** The sandbox that the event is about. */
    readonly tenant_uid?: string;
  };
  /** OCSF profile `trace`: what belongs to one connection, or to a request that brings a trace of its own, has one id. */
  readonly trace?: { readonly uid: string } | undefined;
  readonly message?: string | undefined;
  readonly status_detail?: string | undefined;
  readonly unmapped?: Unmapped | undefined;
}

/** What a caller may say about any event, whatever its class. */
export interface CommonOptions {
  readonly sandbox?: SandboxId | undefined;
  readonly severity?: Severity | undefined;
  /** Milliseconds since the epoch; now, when absent. */
  readonly time?: number | undefined;
  /** W3C Trace Context section 3.2.2.3: 32 hexadecimal digits. */
  readonly traceId?: string | undefined;
  readonly message?: string | undefined;
  readonly unmapped?: Unmapped | undefined;
}

const PRODUCT = { name: 'OpenShell', vendor_name: 'OpenShell' } as const;

interface Activity {
  readonly id: number;
  readonly name: string;
}

/** The part of an event that is made the same way for every class. */
export function baseEvent<Name extends ClassName>(
  className: Name,
  activity: Activity,
  options: CommonOptions,
  usualSeverity: Severity = 'info',
): BaseEvent & { class_uid: (typeof CLASSES)[Name]['uid'] } {
  const kind = CLASSES[className];
  const severity = SEVERITIES[options.severity ?? usualSeverity];
  return {
    class_uid: kind.uid,
    class_name: kind.name,
    category_uid: kind.categoryUid,
    category_name: kind.category,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: kind.uid * 100 + activity.id,
    severity_id: severity.id,
    severity: severity.caption,
    time: options.time ?? Date.now(),
    metadata: {
      version: OCSF_VERSION,
      product: PRODUCT,
      ...(options.sandbox !== undefined && { tenant_uid: options.sandbox }),
    },
    ...(options.traceId !== undefined && { trace: { uid: options.traceId } }),
    ...(options.message !== undefined && { message: options.message }),
    ...(options.unmapped !== undefined && { unmapped: options.unmapped }),
  };
}
