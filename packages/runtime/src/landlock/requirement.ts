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
 * What an older kernel's Landlock lacks (0: there is none). What is missing between the first ABI and the newest is held
 * by the mounts and namespaces as well, so it is told and no more; that there is no Landlock at all is an error unless
 * the policy says `best_effort`.
 * @throws OpenShellError `landlock_missing`.
 */
export function landlockRequirement(
  abi: number,
  compatibility: LandlockCompatibility,
): { readonly missing: readonly LandlockGap[] } {
  if (abi < 1 && compatibility === 'hard_requirement') {
    throw new OpenShellError('this kernel has no Landlock, which the policy requires', {
      code: 'landlock_missing',
      remedy:
        'Run Linux 5.13 or later with Landlock enabled (lsm=landlock,...), or set landlock.compatibility to best_effort in the policy.',
    });
  }
  return { missing: PROTECTIONS.filter((protection) => protection.abi > abi) };
}
