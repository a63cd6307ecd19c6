import { type BaseEvent, baseEvent, type CommonOptions } from '../ocsf.ts';

/** OCSF 5019, with the state in words: `loaded`, `retained_last_valid`, `disabled`, ... */
export interface ConfigEvent extends BaseEvent {
  readonly class_uid: 5019;
  readonly message: string;
  readonly state: string;
}

export interface ConfigOptions extends CommonOptions {
  /** What is the case from now on, lower-case with underscores. */
  readonly state: string;
  readonly message: string;
}

/** The configuration that is enforced has changed, or could not be changed. */
export function configEvent(options: ConfigOptions): ConfigEvent {
  return {
    ...baseEvent('config', { id: 1, name: 'Log' }, options),
    message: options.message,
    state: options.state,
  };
}
