import { isIP } from 'node:net';
import { messageOf } from '@openshell/base';
import { checkDestination, type DestinationRule } from '@openshell/policy';
import type { Limits } from '../limits.ts';
import { findOverride, type OperatorOverrides } from './overrides.ts';
import type { OwnListeners } from './own-listeners.ts';
import type { Resolver } from './resolver.ts';

/** One address that passed the check and may be dialled. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

export interface DestinationRequest {
  readonly host: string;
  readonly port: number;
  readonly rule: DestinationRule;
}

export type DestinationPlan =
  | {
      readonly kind: 'plan';
      readonly targets: readonly Target[];
      /** The operator named the address, so no rule of addresses applies. */
      readonly overridden: boolean;
    }
  | {
      readonly kind: 'refused';
      readonly code: 'ssrf_denied' | 'resolve_failed';
      readonly reason: string;
      readonly remedy: string;
    };

export interface Planner {
  readonly resolver: Resolver;
  readonly overrides: OperatorOverrides;
  readonly limits: Limits;
  /** Where the proxy itself is; nowhere that connections could lead to, when absent. */
  readonly own?: Pick<OwnListeners, 'has'> | undefined;
}

/**
 * Finds and checks the addresses of a destination. The result is what is dialled: the name is resolved exactly once,
 * so a name that changes its answer between check and connection gains nothing. One bad address refuses them all.
 */
export async function planDestination(
  planner: Planner,
  request: DestinationRequest,
): Promise<DestinationPlan> {
  const { host, port, rule } = request;
  const override = findOverride(planner.overrides, host, port);
  if (override !== undefined) {
    return {
      kind: 'plan',
      targets: [{ address: override.address, port: override.toPort ?? port }],
      overridden: true,
    };
  }
  const found = await addressesOf(planner, host);
  if (typeof found === 'string') {
    return {
      kind: 'refused',
      code: 'resolve_failed',
      reason: `${host} could not be resolved: ${found}`,
      remedy: `Check the name and this machine's DNS, or name its address with --resolve ${host}=ADDRESS.`,
    };
  }
  const check = checkDestination(found, { ...rule, host, port });
  if (!check.ok) return { kind: 'refused', code: 'ssrf_denied', reason: check.reason, remedy: check.remedy };
  const own = found.find((address) => planner.own?.has({ address, port }));
  if (own !== undefined)
    return {
      kind: 'refused',
      code: 'ssrf_denied',
      reason: `${host} is at ${own}, where at port ${port} this proxy itself listens`,
      remedy: 'Nobody reaches the proxy through the proxy; connect to it directly.',
    };
  const targets = found.slice(0, planner.limits.addresses).map((address) => ({ address, port }));
  return { kind: 'plan', targets, overridden: false };
}

/** The addresses without duplicates, or why there are none. */
async function addressesOf({ resolver, limits }: Planner, host: string): Promise<readonly string[] | string> {
  if (isIP(host) !== 0) return [host];
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(
    () => late.resolve(`no answer within ${limits.resolveTime} ms`),
    limits.resolveTime,
  );
  try {
    const found = await Promise.race([resolver.lookup(host), late.promise]);
    if (typeof found === 'string') return found;
    return found.length === 0 ? 'the name has no address' : [...new Set(found)];
  } catch (cause) {
    return messageOf(cause);
  } finally {
    clearTimeout(timer);
  }
}
