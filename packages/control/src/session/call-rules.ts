import type { ApplyOrder } from '../contract/generation.ts';
import type { ControllerHello } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import type { ControlCall } from './operations.ts';

interface CallRule {
  /** The version of the protocol that brought it. */
  readonly since: number;
  /** Whether observers may use it. */
  readonly forObservers: boolean;
}

/** Every call. `apply` in the mode `check` changes nothing, so that one is for observers, too. */
export const CALL_RULES: Readonly<Record<ControlCall, CallRule>> = {
  registerTenant: { since: 1, forObservers: false },
  removeTenant: { since: 1, forObservers: false },
  apply: { since: 1, forObservers: false },
  rotateAuthority: { since: 2, forObservers: false },
  drain: { since: 2, forObservers: false },
  status: { since: 1, forObservers: true },
  authority: { since: 1, forObservers: true },
  events: { since: 1, forObservers: true },
  explain: { since: 1, forObservers: true },
};

/** Throws `protocol_too_old`. */
export function requireVersion(agreed: number, call: ControlCall): void {
  const { since } = CALL_RULES[call];
  if (agreed >= since) return;
  throw new ControlRefusal(
    `"${call}" came with version ${since} of the control protocol, and this session speaks version ${agreed}`,
    { code: 'protocol_too_old', remedy: 'Upgrade the older side.' },
  );
}

/** Throws `observer_only`. */
export function requireRole(
  role: ControllerHello['role'],
  call: ControlCall,
  mode?: ApplyOrder['mode'],
): void {
  if (role === 'controller' || mode === 'check' || CALL_RULES[call].forObservers) return;
  throw new ControlRefusal(`an observer changes nothing, and "${call}" would`, {
    code: 'observer_only',
    remedy: 'Connect as the controller.',
  });
}
