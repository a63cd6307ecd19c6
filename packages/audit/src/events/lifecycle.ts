import { type BaseEvent, baseEvent, type CommonOptions } from '../ocsf.ts';

const ACTIVITIES = { start: { id: 3, name: 'Start' }, stop: { id: 4, name: 'Stop' } } as const;
const STATUSES = { success: { id: 1, name: 'Success' }, failure: { id: 2, name: 'Failure' } } as const;

/** OCSF 6002. */
export interface LifecycleEvent extends BaseEvent {
  readonly class_uid: 6002;
  readonly app: { readonly name: string; readonly version?: string };
  readonly status_id: 1 | 2;
  readonly status: 'Success' | 'Failure';
}

export interface LifecycleOptions extends CommonOptions {
  readonly activity: keyof typeof ACTIVITIES;
  /** The program or part of it: `openshell-proxy`. */
  readonly app: string;
  readonly version?: string | undefined;
  readonly status?: keyof typeof STATUSES | undefined;
  readonly reason?: string | undefined;
}

/** A program of OpenShell has started or stopped. */
export function lifecycleEvent(options: LifecycleOptions): LifecycleEvent {
  const status = STATUSES[options.status ?? 'success'];
  const { version, reason } = options;
  const severity = options.severity ?? (status.id === 2 ? 'high' : 'info');
  return {
    ...baseEvent('lifecycle', ACTIVITIES[options.activity], { ...options, severity }),
    app: { name: options.app, ...(version !== undefined && { version }) },
    status_id: status.id,
    status: status.name,
    ...(reason !== undefined && { status_detail: reason }),
  };
}
