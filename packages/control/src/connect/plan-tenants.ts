import type { SandboxId } from '@openshell/base';
import type {
  ApplyOrder,
  InstalledGeneration,
  Part,
  PushedSecrets,
  TextPart,
} from '../contract/generation.ts';
import { generationHash, textHash } from '../contract/generation-hash.ts';
import type { TenantReport, TenantSpec } from '../contract/tenant.ts';
import { tenantHash } from '../contract/tenant-hash.ts';

/** Everything that one tenant's generation is made of, whatever the proxy has of it already. */
export interface WantedParts {
  readonly policy: TextPart;
  readonly credentials?: TextPart | undefined;
  readonly routes?: TextPart | undefined;
  readonly secrets?: PushedSecrets | undefined;
}

export interface WantedTenant {
  readonly tenant: TenantSpec;
  readonly parts: WantedParts;
}

/** What is to be done about one tenant. */
export type TenantStep =
  | { readonly kind: 'remove'; readonly tenant: SandboxId }
  | { readonly kind: 'register'; readonly spec: TenantSpec }
  | { readonly kind: 'apply'; readonly order: ApplyOrder };

/**
 * The steps from what a proxy has to what is wanted, in their order. Nothing where both are the same; of a generation only the parts that differ.
 * A tenant that is registered otherwise is removed first, which ends its connections. `others`: what becomes of tenants that nobody wants.
 */
export function planTenants(
  wanted: readonly WantedTenant[],
  present: readonly TenantReport[],
  others: 'remove' | 'leave',
): TenantStep[] {
  const reports = new Map(present.map((report) => [report.id, report]));
  const names = new Set(wanted.map(({ tenant }) => tenant.id));
  const isOther = ({ tenant }: WantedTenant): boolean =>
    reports.has(tenant.id) && reports.get(tenant.id)?.specHash !== tenantHash(tenant);
  // All removals come first: what one gives up may be what another is recognised by.
  const removed = new Set([
    ...present.filter(({ id }) => others === 'remove' && !names.has(id)).map(({ id }) => id),
    ...wanted.filter(isOther).map(({ tenant }) => tenant.id),
  ]);
  const stays = (id: SandboxId): TenantReport | undefined => (removed.has(id) ? undefined : reports.get(id));
  return [
    ...[...removed].map((tenant) => ({ kind: 'remove', tenant }) as const),
    ...wanted.flatMap(({ tenant, parts }): TenantStep[] => {
      const report = stays(tenant.id);
      return [
        ...(report ? [] : [{ kind: 'register', spec: tenant } as const]),
        ...applySteps(tenant.id, parts, report?.installed),
      ];
    }),
  ];
}

function applySteps(
  tenant: SandboxId,
  parts: WantedParts,
  installed: InstalledGeneration | undefined,
): TenantStep[] {
  if (installed?.hash === hashOf(parts)) return [];
  const has = installed?.parts;
  const { policy, credentials, routes, secrets } = parts;
  const order: ApplyOrder = {
    tenant,
    mode: 'install',
    parts: {
      policy: lean(policy, has?.policy),
      credentials: credentials && lean(credentials, has?.credentials),
      routes: routes && lean(routes, has?.routes),
      secrets:
        secrets && secrets.revision === has?.secretsRevision
          ? { kind: 'keep', revision: secrets.revision }
          : secrets,
    },
  };
  return [{ kind: 'apply', order }];
}

const lean = (part: TextPart, has: string | undefined): Part => {
  const hash = textHash(part.text);
  return hash === has ? { kind: 'keep', hash } : part;
};

const hashOf = ({ policy, credentials, routes, secrets }: WantedParts): string =>
  generationHash({
    policy: textHash(policy.text),
    credentials: credentials && textHash(credentials.text),
    routes: routes && textHash(routes.text),
    secretsRevision: secrets?.revision,
  });
