import { ARM64_SYSCALLS } from './syscalls-arm64.ts';
import { X64_SYSCALLS } from './syscalls-x64.ts';

/** Names with consecutive numbers, parted by white space. */
export interface SyscallRun {
  readonly first: number;
  readonly names: string;
}

export type SeccompArchitecture = 'x64' | 'arm64';

const RUNS: Readonly<Record<SeccompArchitecture, readonly SyscallRun[]>> = {
  x64: X64_SYSCALLS,
  arm64: ARM64_SYSCALLS,
};

/** Every system call that we have looked at, by number. A number that is missing here is refused. */
export function syscallNames(arch: SeccompArchitecture): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const run of RUNS[arch]) {
    let number = run.first;
    for (const name of run.names.trim().split(/\s+/)) names.set(number++, name);
  }
  return names;
}
