import { type OcsfProcess, ocsfProcess, type ProcessOptions } from '../objects.ts';
import { type BaseEvent, baseEvent, type CommonOptions } from '../ocsf.ts';

const ACTIVITIES = { launch: { id: 1, name: 'Launch' }, terminate: { id: 2, name: 'Terminate' } } as const;

/** OCSF 1007. */
export interface ProcessEvent extends BaseEvent {
  readonly class_uid: 1007;
  readonly process: OcsfProcess & { readonly cmd_line?: string };
  readonly exit_code?: number;
}

export interface ProcessEventOptions extends CommonOptions {
  readonly activity: keyof typeof ACTIVITIES;
  readonly process: ProcessOptions;
  /** As shown to people. Arguments can hold secrets: pass only what may be read by whoever reads the events. */
  readonly commandLine?: string | undefined;
  /** Exit status, or 128 + signal. */
  readonly exitCode?: number | undefined;
}

/** A process of the sandbox began or ended. */
export function processEvent(options: ProcessEventOptions): ProcessEvent {
  const { commandLine, exitCode } = options;
  return {
    ...baseEvent('process', ACTIVITIES[options.activity], options),
    process: { ...ocsfProcess(options.process), ...(commandLine !== undefined && { cmd_line: commandLine }) },
    ...(exitCode !== undefined && { exit_code: exitCode }),
  };
}
