import { readFileSync } from 'node:fs';
import type { LauncherSpec } from '../spec/spec.ts';

/**
 * Processes and threads of one sandbox. Enough for large builds, far from what a machine can hold. A resource limit and not a
 * control group, since joining one waits for an RCU grace period (10 ms and more a spawn): the limit counts by user, and every
 * sandbox has a user, or a user namespace, of its own.
 */
export const MAX_PROCESSES = 8192;

/** RLIMIT numbers of Linux, the same on x86-64 and arm64 (asm-generic/resource.h). */
const RLIMIT_CORE = 4;
const RLIMIT_NPROC = 6;

/** The supervisor's own hard limit, which nobody below it may exceed. */
const ownHardLimit = (): bigint => {
  const hard = /^Max processes\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return hard && hard !== 'unlimited' ? BigInt(hard) : 2n ** 64n - 1n;
};

/** Resource limits of every process in the sandbox: no core dumps, a bounded number of processes. */
export const workloadLimits = (): LauncherSpec['rlimits'] => {
  const own = ownHardLimit();
  const processes = own < MAX_PROCESSES ? own : BigInt(MAX_PROCESSES);
  return [
    // Not 0: a core_pattern that is a pipe ignores that, and refuses exactly 1 (core(5)); no file fits into one byte either.
    { resource: RLIMIT_CORE, soft: 1n, hard: 1n },
    { resource: RLIMIT_NPROC, soft: processes, hard: processes },
  ];
};
