import type { BinaryPathResolver, IdentityMode, Middleware, NetworkPolicy, Policy } from '@openshell/policy';
import type { Json, JsonObject } from '@openshell/rego';
import { egressIndex } from './egress-index.ts';
import { endpointData, present } from './endpoint-data.ts';

export interface PolicyDataOptions {
  /** Default `required`: rules deny a connection whose program is unknown. */
  readonly identity?: IdentityMode;
  /** Follows symbolic links of binary paths inside the sandbox. Called now and not later. */
  readonly resolveBinaryPath?: BinaryPathResolver;
}

/**
 * A policy as the `data` of Rego rules (docs/rego.md, "Data"): the sections of the file with every default filled in, ports always as
 * lists and presets as rules, how programs are identified, and `egress_index`, which is the endpoints again, prepared for looking up.
 */
export const policyData = (policy: Policy, options: PolicyDataOptions = {}): JsonObject => ({
  filesystem_policy: {
    include_workdir: policy.filesystem.includeWorkdir,
    read_only: policy.filesystem.readOnly,
    read_write: policy.filesystem.readWrite,
  },
  landlock: { compatibility: policy.landlock.compatibility },
  process: present({ run_as_user: policy.process.runAsUser, run_as_group: policy.process.runAsGroup }),
  network_policies: Object.fromEntries(
    policy.networkPolicies.map((network) => [network.key, networkData(network)]),
  ),
  network_middlewares: Object.fromEntries(policy.middlewares.map((one) => [one.key, middlewareData(one)])),
  runtime: { require_binary_identity: options.identity !== 'not-required' },
  egress_index: egressIndex(policy, options.resolveBinaryPath),
});

const networkData = ({ name, endpoints, binaries }: NetworkPolicy): JsonObject => ({
  name,
  endpoints: endpoints.map(endpointData),
  binaries: binaries.map((path) => ({ path })),
});

const middlewareData = (middleware: Middleware): JsonObject => ({
  name: middleware.name,
  middleware: middleware.middleware,
  order: middleware.order,
  // Values of a YAML file: JSON by the policy's schema.
  config: middleware.config as Readonly<Record<string, Json>>,
  on_error: middleware.onError,
  endpoints: { include: middleware.include, exclude: middleware.exclude },
});
