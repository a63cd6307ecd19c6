import { OpenShellError } from '@openshell/base';

/** The policy's `landlock.compatibility`. */
export type LandlockCompatibility = 'best_effort' | 'hard_requirement';

/** A protection that the running kernel cannot give. */
export interface LandlockGap {
  /** First ABI that has it. */
  readonly abi: number;
  /** First kernel that has it. */
  readonly kernel: string;
  /** What remains possible without it, as a sentence. */
  readonly consequence: string;
}

// ABI 4 (ports) is not used and ABI 7 only adds logging: neither leaves a gap.
const PROTECTIONS: readonly LandlockGap[] = [
  {
    abi: 1,
    kernel: '5.13',
    consequence: 'File access is limited by mounts and file modes only; the policy’s paths are not enforced.',
  },
  {
    abi: 2,
    kernel: '5.19',
    consequence: 'Files cannot be moved or linked between directories, even where both are writable.',
  },
  {
    abi: 3,
    kernel: '6.2',
    consequence: 'A file that is read-only by policy can be truncated where its mode lets the user write.',
  },
  {
    abi: 5,
    kernel: '6.10',
    consequence: 'Any device node that can be opened takes every ioctl.',
  },
  {
    abi: 6,
    kernel: '6.12',
    consequence: 'Signals and abstract Unix sockets are held by the namespaces only.',
  },
];

/**
 * What is missing for the whole of Landlock at this ABI (0: none), best effort being allowed to go on without.
 * Throws `landlock_incomplete` when something is missing and the policy does not say `best_effort`.
 */
export function landlockRequirement(
  abi: number,
  compatibility: LandlockCompatibility,
): { readonly missing: readonly LandlockGap[] } {
  const missing = PROTECTIONS.filter((protection) => protection.abi > abi);
  switch (compatibility) {
    case 'best_effort':
      return { missing };
    case 'hard_requirement':
      if (missing.length > 0) throw incomplete(abi, missing);
      return { missing };
    default:
      return compatibility satisfies never;
  }
}

function incomplete(abi: number, missing: readonly LandlockGap[]): OpenShellError {
  const found = abi < 1 ? 'This kernel has no Landlock.' : `This kernel's Landlock is at ABI ${abi}.`;
  return new OpenShellError([found, ...missing.map((gap) => gap.consequence)].join(' '), {
    code: 'landlock_incomplete',
    remedy: `Run Linux ${missing.at(-1)!.kernel} or later with Landlock enabled (lsm=landlock,...), or set landlock.compatibility to best_effort in the policy.`,
  });
}
