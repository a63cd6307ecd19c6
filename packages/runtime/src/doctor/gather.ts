import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { inspectCgroups } from './cgroups.ts';
import { tryDevice } from './devices.ts';
import { dockerSocket, pingDocker } from './docker.ts';
import type { MachineFacts } from './facts.ts';
import { tryKvm } from './kvm.ts';
import { probeLauncher } from './launcher-probe.ts';
import { findPrograms } from './programs.ts';

export interface InspectOptions {
  /** Where the launcher is; absent where it is not built. */
  readonly launcher?: string;
  /** The directory that sandboxes would work in: identity-mapped mounts depend on its file system. */
  readonly workdir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Asks the machine everything at once; no answer waits for another that it does not need. */
export const gatherFacts = async ({ launcher, workdir, env }: InspectOptions): Promise<MachineFacts> => {
  const programs = findPrograms(env.PATH ?? '/usr/bin:/bin');
  const kvm = programs.then((found) => tryKvm({ device: '/dev/kvm', qemu: found.get('qemu-system-x86_64') }));
  const answers = probeLauncher(launcher, workdir);
  const docker = pingDocker(dockerSocket(env.DOCKER_HOST));
  const securityModules = read('/sys/kernel/security/lsm');
  return {
    platform: process.platform,
    architecture: process.arch,
    kernelRelease: release(),
    effectiveUser: process.geteuid?.() ?? -1,
    sysctls: readSysctls(),
    ...(securityModules === undefined ? {} : { securityModules: securityModules.split(',') }),
    cgroups: inspectCgroups(),
    tun: tryDevice('/dev/net/tun'),
    launcher: await answers,
    kvm: await kvm,
    programs: await programs,
    docker: await docker,
  };
};

/** What can keep a kernel that has a feature from giving it to this user. */
const sysctlNames = [
  'kernel.unprivileged_userns_clone',
  'kernel.apparmor_restrict_unprivileged_userns',
  'kernel.seccomp.actions_avail',
  'user.max_user_namespaces',
  'user.max_net_namespaces',
] as const;

const readSysctls = (): ReadonlyMap<string, string> => {
  const values = new Map<string, string>();
  for (const name of sysctlNames) {
    const value = read(`/proc/sys/${name.replaceAll('.', '/')}`);
    if (value !== undefined) values.set(name, value);
  }
  return values;
};

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Absent on this kernel, or hidden from this user: both mean that there is nothing to know.
    return undefined;
  }
};
