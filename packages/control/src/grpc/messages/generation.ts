import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { generation, sandboxId } from '@openshell/base';
import type {
  Applied,
  ApplyOrder,
  GenerationParts,
  InstalledGeneration,
  Part,
} from '../../contract/generation.ts';
import type {
  AppliedSchema,
  ApplyRequestSchema,
  InstalledGenerationSchema,
  PartSchema,
  SecretsSchema,
} from '../generated/openshell/proxy/v1/proxy_pb.ts';
import { absent, present } from './absent.ts';
import { narrow, wide } from './numbers.ts';

export const orderTo = (order: ApplyOrder): MessageInitShape<typeof ApplyRequestSchema> => ({
  tenant: order.tenant,
  policy: partTo(order.parts.policy),
  credentials: order.parts.credentials && partTo(order.parts.credentials),
  routes: order.parts.routes && partTo(order.parts.routes),
  secrets: order.parts.secrets && secretsTo(order.parts.secrets),
  expected: order.expected,
  checkOnly: order.mode === 'check',
});

export const orderFrom = (message: MessageShape<typeof ApplyRequestSchema>): ApplyOrder => ({
  tenant: sandboxId(message.tenant),
  parts: {
    policy: partFrom(present(message.policy, 'policy')),
    credentials: message.credentials && partFrom(message.credentials),
    routes: message.routes && partFrom(message.routes),
    secrets: message.secrets && secretsFrom(message.secrets),
  },
  expected: message.expected,
  mode: message.checkOnly ? 'check' : 'install',
});

export const appliedTo = (applied: Applied): MessageInitShape<typeof AppliedSchema> => ({
  installed: installedTo(applied.installed),
  unchanged: applied.unchanged,
  environment: { ...applied.environment },
  notices: [...applied.notices],
});

export const appliedFrom = (
  message: MessageShape<typeof AppliedSchema>,
  mode: ApplyOrder['mode'],
): Applied => ({
  mode,
  installed: installedFrom(present(message.installed, 'generation')),
  unchanged: message.unchanged,
  environment: message.environment,
  notices: message.notices,
});

export const installedTo = (
  installed: InstalledGeneration,
): MessageInitShape<typeof InstalledGenerationSchema> => ({
  tenant: installed.tenant,
  generation: wide(installed.generation),
  hash: installed.hash,
  policySha256: installed.parts.policy,
  credentialsSha256: installed.parts.credentials,
  routesSha256: installed.parts.routes,
  secretsRevision: installed.parts.secretsRevision,
  policyHash: installed.policyHash,
  installedAt: wide(installed.installedAt),
});

export const installedFrom = (
  message: MessageShape<typeof InstalledGenerationSchema>,
): InstalledGeneration => ({
  tenant: sandboxId(message.tenant),
  generation: generation(narrow(message.generation)),
  hash: message.hash,
  parts: {
    policy: message.policySha256,
    ...(message.credentialsSha256 !== undefined && { credentials: message.credentialsSha256 }),
    ...(message.routesSha256 !== undefined && { routes: message.routesSha256 }),
    ...(message.secretsRevision !== undefined && { secretsRevision: message.secretsRevision }),
  },
  policyHash: message.policyHash,
  installedAt: narrow(message.installedAt),
});

const partTo = (part: Part): MessageInitShape<typeof PartSchema> => {
  switch (part.kind) {
    case 'text':
      return { content: { case: 'text', value: { name: part.name, text: part.text } } };
    case 'keep':
      return { content: { case: 'keep', value: part.hash } };
  }
};

const partFrom = ({ content }: MessageShape<typeof PartSchema>): Part => {
  switch (content.case) {
    case 'text':
      return { kind: 'text', name: content.value.name, text: content.value.text };
    case 'keep':
      return { kind: 'keep', hash: content.value };
    case undefined:
      throw absent('content of a part');
  }
};

type Secrets = NonNullable<GenerationParts['secrets']>;

const secretsTo = (secrets: Secrets): MessageInitShape<typeof SecretsSchema> => ({
  revision: secrets.revision,
  ...(secrets.kind === 'values' && { values: { values: Object.fromEntries(secrets.values) } }),
});

const secretsFrom = ({ revision, values }: MessageShape<typeof SecretsSchema>): Secrets =>
  values
    ? { kind: 'values', revision, values: new Map(Object.entries(values.values)) }
    : { kind: 'keep', revision };
