import { OpenShellError, type OpenShellErrorOptions } from '@openshell/base';

/** Why a control call was refused; stable, and the same in every form of the contract. */
export const CONTROL_CODES = [
  /** No version in common. */
  'protocol_unsupported',
  /** Somebody else controls the proxy, and taking over was not asked for. */
  'controlled_by_another',
  /** There are as many observers as there may be. */
  'too_many_sessions',
  /** Observers change nothing. */
  'observer_only',
  /** The session has ended: closed, taken over, or the proxy went away. */
  'session_ended',
  /** Who connects has not shown who it is. */
  'unauthenticated',
  'tenant_unknown',
  'tenant_exists',
  'tenant_invalid',
  /** Two tenants would be recognised by the same thing. */
  'recognition_taken',
  'listen_failed',
  'too_many_tenants',
  /** Policy, credentials or routes are wrong: `problems` says where. */
  'generation_refused',
  /** `expected` is not what is installed. */
  'generation_changed',
  /** `keep` names what is not installed. */
  'part_unknown',
  /** Steps of a rotation come in their order. */
  'rotation_order',
  'request_invalid',
  /** The agreed version of the protocol has no such call. */
  'protocol_too_old',
  'proxy_draining',
  /** The proxy cannot be reached (any longer). */
  'unavailable',
  'internal',
] as const;

export type ControlCode = (typeof CONTROL_CODES)[number];

/** One thing that is wrong with what was pushed. */
export interface ControlProblem {
  readonly part: 'policy' | 'credentials' | 'routes' | 'secrets' | 'tenant';
  /** The part's name, as it was pushed. */
  readonly name?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** As in `network_policies.github.endpoints[0].host`. */
  readonly path?: string | undefined;
  readonly message: string;
}

export interface ControlRefusalOptions extends Omit<OpenShellErrorOptions, 'code'> {
  readonly code: ControlCode;
  readonly problems?: readonly ControlProblem[];
}

/** What every control call throws. */
export class ControlRefusal extends OpenShellError {
  declare readonly code: ControlCode;
  readonly problems: readonly ControlProblem[];

  constructor(message: string, options: ControlRefusalOptions) {
    super(message, options);
    this.name = 'ControlRefusal';
    this.problems = options.problems ?? [];
  }
}
