import { existsSync, readFileSync } from 'node:fs';
import type { CgroupItem, LauncherSpec } from '../spec/spec.ts';

/** Processes and threads of one sandbox. Enough for large builds, far from what a machine can hold. */
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

/**
 * The control group that bounds a sandbox's processes, where this user may make one: beside the supervisor's own
 * group, so that limits set on the supervisor hold for its sandboxes. RLIMIT_NPROC is what remains elsewhere.
 */
export const planCgroups = (name: string): CgroupItem[] => {
  const settings = [{ file: 'pids.max', value: String(MAX_PROCESSES) }];
  const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const legacy = own.find((line) => line.split(':')[1] === 'pids')?.split(':')[2];
  if (legacy && existsSync('/sys/fs/cgroup/pids')) {
    const path = `/sys/fs/cgroup/pids${legacy === '/' ? '' : legacy}/openshell-${name}`;
    return [{ path, required: false, settings }];
  }
  const unified = own.find((line) => line.startsWith('0::'))?.slice(3);
  if (!unified || !existsSync('/sys/fs/cgroup/cgroup.controllers')) return [];
  // In the unified hierarchy a group with processes has no children: the sandbox's stands beside ours.
  const parent = unified === '/' ? '' : unified.slice(0, unified.lastIndexOf('/'));
  return [{ path: `/sys/fs/cgroup${parent}/openshell-${name}`, required: false, settings }];
};
