import type { SandboxId } from '@openshell/base';
import type { Applied } from '../contract/generation.ts';
import type { ControlSession } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';
import { planTenants, type TenantStep, type WantedTenant } from './plan-tenants.ts';

/** What became of a tenant that was not as it should be. One that was is not mentioned. */
export type Reconciled =
  | { readonly kind: 'removed'; readonly tenant: SandboxId }
  | { readonly kind: 'applied'; readonly tenant: SandboxId; readonly applied: Applied }
  /** It is as it was before, or has nothing installed. */
  | { readonly kind: 'refused'; readonly tenant: SandboxId; readonly refusal: ControlRefusal };

/**
 * Brings a proxy to what is wanted, by pushing only what differs. A tenant that is refused does not keep the others from theirs. Throws what ends
 * everything: `session_ended`, `unavailable`.
 */
export async function reconcile(
  session: ControlSession,
  wanted: readonly WantedTenant[],
  { others }: { readonly others: 'remove' | 'leave' },
): Promise<readonly Reconciled[]> {
  const { tenants } = await session.status();
  const done: Reconciled[] = [];
  const refused = new Set<SandboxId>();
  for (const step of planTenants(wanted, tenants, others)) {
    const tenant = tenantOf(step);
    if (refused.has(tenant)) continue;
    try {
      const result = await take(session, step);
      if (result) done.push(result);
    } catch (thrown) {
      if (!(thrown instanceof ControlRefusal) || isOver(thrown)) throw thrown;
      refused.add(tenant);
      done.push({ kind: 'refused', tenant, refusal: thrown });
    }
  }
  return done;
}

async function take(session: ControlSession, step: TenantStep): Promise<Reconciled | undefined> {
  switch (step.kind) {
    case 'remove':
      await session.removeTenant(step.tenant);
      return { kind: 'removed', tenant: step.tenant };
    case 'register':
      await session.registerTenant(step.spec);
      return undefined;
    case 'apply':
      return { kind: 'applied', tenant: step.order.tenant, applied: await session.apply(step.order) };
  }
}

const tenantOf = (step: TenantStep): SandboxId => {
  switch (step.kind) {
    case 'remove':
      return step.tenant;
    case 'register':
      return step.spec.id;
    case 'apply':
      return step.order.tenant;
  }
};

/** Nothing more can be asked of this session. */
export const isOver = ({ code }: ControlRefusal): boolean =>
  code === 'session_ended' || code === 'unavailable';
