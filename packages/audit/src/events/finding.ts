import { type OcsfProcess, ocsfProcess, type ProcessOptions } from '../objects.ts';
import { type BaseEvent, baseEvent, type CommonOptions } from '../ocsf.ts';
import { ACTIONS, type Action, type SecurityControl } from './network.ts';

const CONFIDENCE = {
  low: { id: 1, name: 'Low' },
  medium: { id: 2, name: 'Medium' },
  high: { id: 3, name: 'High' },
} as const;

/** OCSF 2004. */
export interface FindingEvent extends BaseEvent, Partial<SecurityControl> {
  readonly class_uid: 2004;
  readonly finding_info: { readonly uid: string; readonly title: string; readonly desc?: string };
  readonly is_alert: true;
  readonly confidence_id: number;
  readonly confidence: string;
  readonly actor?: { readonly process: OcsfProcess };
  readonly count?: number;
}

export interface FindingOptions extends CommonOptions {
  /** What was found, stable over versions: `bypass-detect`, `binary-changed`, ... */
  readonly uid: string;
  readonly title: string;
  readonly description?: string | undefined;
  readonly confidence?: keyof typeof CONFIDENCE | undefined;
  readonly action?: Action | undefined;
  readonly process?: ProcessOptions | undefined;
  /** How many times, when several are told as one. */
  readonly count?: number | undefined;
}

/** Something that an operator should look at. */
export function findingEvent(options: FindingOptions): FindingEvent {
  const confidence = CONFIDENCE[options.confidence ?? 'high'];
  const { process, count, description, action } = options;
  return {
    ...baseEvent(
      'finding',
      { id: 1, name: 'Create' },
      { ...options, severity: options.severity ?? 'medium' },
    ),
    ...(action !== undefined && ACTIONS[action]),
    finding_info: {
      uid: options.uid,
      title: options.title,
      ...(description !== undefined && { desc: description }),
    },
    is_alert: true,
    confidence_id: confidence.id,
    confidence: confidence.name,
    ...(process !== undefined && { actor: { process: ocsfProcess(process) } }),
    ...(count !== undefined && { count }),
  };
}
