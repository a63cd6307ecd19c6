import {
  fsRightsOfAbi,
  type LandlockAccess,
  type LandlockKind,
  RIGHTS_OF_ACCESS,
  RIGHTS_OF_KIND,
} from './rights.ts';

export interface LandlockPath {
  readonly path: string;
  readonly access: LandlockAccess;
  readonly kind: LandlockKind;
}

export interface LandlockPlanOptions {
  /** What `landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)` answers; 0 where there is none. */
  readonly abi: number;
  readonly paths: readonly LandlockPath[];
}

export interface LandlockRule {
  readonly path: string;
  /** `allowed_access` of `struct landlock_path_beneath_attr`. */
  readonly access: bigint;
}

/** Everything that the launcher hands to the three Landlock system calls, without thinking. */
export interface LandlockPlan {
  /** Size in bytes of the part of `struct landlock_ruleset_attr` that this ABI knows; 0 means no ruleset at all. */
  readonly attributeSize: 0 | 8 | 16 | 24;
  readonly handledAccessFs: bigint;
  readonly handledAccessNet: bigint;
  readonly scoped: bigint;
  /** Flags of `landlock_restrict_self(2)`. */
  readonly restrictFlags: number;
  readonly rules: readonly LandlockRule[];
}

const SCOPE_ABSTRACT_UNIX_SOCKET = 1n << 0n;
const SCOPE_SIGNAL = 1n << 1n;

const RESTRICT_SELF_LOG_NEW_EXEC_ON = 1 << 1;
const RESTRICT_SELF_LOG_SUBDOMAINS_OFF = 1 << 2;

/**
 * The Landlock ruleset for the highest ABI that both the kernel and we know.
 *
 * Network rights are not governed here: a rule names a port and nothing else, so "everything but the egress" cannot
 * be said, and a sandbox must be able to dial any address to be captured. Egress is held by the network namespace.
 */
export function landlockPlan(options: LandlockPlanOptions): LandlockPlan {
  const handledAccessFs = fsRightsOfAbi(options.abi);
  return {
    attributeSize: attributeSizeOf(options.abi),
    handledAccessFs,
    handledAccessNet: 0n,
    scoped: options.abi >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0n,
    restrictFlags: restrictFlagsOf(options.abi),
    rules: options.abi < 1 ? [] : options.paths.map((path) => ruleOf(path, handledAccessFs)),
  };
}

function ruleOf(entry: LandlockPath, handled: bigint): LandlockRule {
  return { path: entry.path, access: RIGHTS_OF_ACCESS[entry.access] & RIGHTS_OF_KIND[entry.kind] & handled };
}

function attributeSizeOf(abi: number): LandlockPlan['attributeSize'] {
  if (abi < 1) return 0;
  if (abi < 4) return 8;
  return abi < 6 ? 16 : 24;
}

/**
 * What the kernel's audit log gets. The workload always runs after an execve, so without NEW_EXEC_ON none of its
 * refusals would be seen. Domains that the workload makes itself are its own affair, and a way to flood the log.
 */
function restrictFlagsOf(abi: number): number {
  return abi >= 7 ? RESTRICT_SELF_LOG_NEW_EXEC_ON | RESTRICT_SELF_LOG_SUBDOMAINS_OFF : 0;
}
