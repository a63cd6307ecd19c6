import type { ProxyStatus } from '@openshell/control';

export interface Readiness {
  readonly ready: boolean;
  readonly state: ProxyStatus['state'];
  /** Why not, and what would change that. */
  readonly reason?: string;
  /** Some of the tenants that nothing was installed for. */
  readonly waiting?: readonly string[];
}

/** However many tenants there are, the answer is short. */
const MAX_NAMES = 10;

/** Whether clients may be sent here: something is installed for every tenant, or denying everything is what was asked for. */
export function readinessOf({ state, denyAll, tenants, workers }: ProxyStatus): Readiness {
  switch (state) {
    case 'ready':
      return { ready: true, state };
    case 'draining':
      return { ready: false, state, reason: 'the proxy is stopping and takes no new connections' };
    case 'denying':
      // A few that are being replaced are not missed: then the state is another one.
      if (workers.some(({ pid }) => pid === 0))
        return { ready: false, state, reason: 'a worker has ended and is not there again' };
      return denyAll ? { ready: true, state } : { ready: false, state, ...whatIsMissing(tenants) };
    default:
      return state satisfies never;
  }
}

function whatIsMissing(tenants: ProxyStatus['tenants']): Pick<Readiness, 'reason' | 'waiting'> {
  const waiting = tenants.filter(({ installed }) => installed === undefined).map(({ id }) => id);
  if (tenants.length === 0) return { reason: 'there is no tenant, so everything is denied' };
  return {
    reason: `nothing is installed for ${waiting.length} of ${tenants.length} tenants, so everything is denied to them`,
    waiting: waiting.slice(0, MAX_NAMES),
  };
}
