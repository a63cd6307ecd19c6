import { deepFreeze } from './freeze.ts';
import type { FilesystemPolicy, Policy } from './policy.ts';

/** What a policy without `filesystem_policy` means: the system can be read, the work directory and /tmp written. */
export const DEFAULT_FILESYSTEM: FilesystemPolicy = deepFreeze({
  includeWorkdir: true,
  readOnly: ['/dev/urandom', '/etc', '/lib', '/proc', '/usr', '/var/log'],
  readWrite: ['/dev/null', '/tmp'],
});

/**
 * The policy of a sandbox for which nobody gave one: no network at all, the system read-only, the work directory and /tmp writable,
 * and an error rather than less protection on a kernel without Landlock.
 */
export const defaultPolicy: Policy = deepFreeze({
  version: 1,
  filesystem: DEFAULT_FILESYSTEM,
  landlock: { compatibility: 'hard_requirement' },
  process: {},
  networkPolicies: [],
  middlewares: [],
});
