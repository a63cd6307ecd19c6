import { type Check, ok, optional } from './check.ts';
import type { MachineFacts } from './facts.ts';

/** Rlimits stand in for them, less exactly. */
export const judgeCgroups = ({ cgroups }: MachineFacts): Check => {
  const id = 'cgroups';
  const title = 'Control groups';
  const { layout, pidsDirectory, writable } = cgroups;
  if (writable) return ok(id, title, `${layout}; limits of processes can be set in ${pidsDirectory}`);
  const found =
    pidsDirectory === undefined ? 'without a limit of processes' : `${pidsDirectory} is not this user's`;
  return optional(id, title, {
    detail: `${layout}; ${found}: limits are held by rlimits alone`,
    remedy:
      pidsDirectory === undefined
        ? "Boot with cgroup_no_v1=all, or mount the pids controller; in a container, don't hide /sys/fs/cgroup."
        : 'Start it in a group of its own: systemd-run --user --scope -p Delegate=yes -- openshell run …',
  });
};

/** For links to virtual machines and containers. */
export const judgeTun = ({ tun }: MachineFacts): Check => {
  const id = 'tun';
  const title = '/dev/net/tun';
  switch (tun.kind) {
    case 'usable':
      return ok(id, title, 'this user can open it');
    case 'denied':
      return optional(id, title, {
        detail: 'this user may not open it; nothing uses it yet',
        remedy: 'Run as root: chmod 0666 /dev/net/tun',
      });
    case 'absent':
      return optional(id, title, {
        detail: 'it is not there; nothing uses it yet',
        remedy: 'Run as root: modprobe tun',
      });
    default:
      return tun satisfies never;
  }
};

/** For the kind `boxlite`. */
export const judgeKvm = ({ kvm, architecture }: MachineFacts): Check => {
  const id = 'kvm';
  const title = 'KVM';
  const lack = (detail: string, remedy: string): Check =>
    optional(id, title, { detail: `${detail}; virtual machines are not built yet`, remedy });
  switch (kvm.kind) {
    case 'works':
      return ok(id, title, 'a guest ran');
    case 'absent':
      return lack(
        '/dev/kvm is not there',
        'Run as root: modprobe kvm_intel or kvm_amd; in a virtual machine, switch nested virtualization on.',
      );
    case 'denied':
      return lack('this user may not open /dev/kvm', 'Run as root: usermod -aG kvm USER, and log in again.');
    case 'fails':
      return lack(
        `/dev/kvm is there, and no guest runs: ${kvm.reason}`,
        'Use a machine with hardware virtualization, or switch nested virtualization on.',
      );
    case 'untried':
      return lack(
        '/dev/kvm opens, which proves little, and there is no QEMU to try a guest with',
        architecture === 'x64'
          ? 'Run: apt-get install --no-install-recommends qemu-system-x86, and ask again.'
          : 'The trial exists for x86-64 only.',
      );
    default:
      return kvm satisfies never;
  }
};

/** Programs behind a runtime of kind `oci`. */
export const judgeOciRuntimes = ({ programs }: MachineFacts): readonly Check[] =>
  [
    { name: 'runsc', title: 'gVisor (runsc)', remedy: 'See https://gvisor.dev/docs/user_guide/install/' },
    { name: 'crun', title: 'crun', remedy: 'Run: apt-get install --no-install-recommends crun' },
    { name: 'runc', title: 'runc', remedy: 'Run: apt-get install --no-install-recommends runc' },
    { name: 'kata-runtime', title: 'Kata Containers', remedy: 'See https://katacontainers.io/docs/' },
  ].map(({ name, title, remedy }) => {
    const found = programs.get(name);
    if (found === undefined) {
      return optional(name, title, { detail: 'not on PATH; the kind oci is not built yet', remedy });
    }
    return ok(name, title, found.version === undefined ? found.path : `${found.version} (${found.path})`);
  });

/** For the Docker driver. */
export const judgeDocker = ({ docker }: MachineFacts): Check => {
  const id = 'docker';
  const title = 'Docker';
  const lack = (detail: string, remedy: string): Check =>
    optional(id, title, { detail: `${detail}; nothing uses it yet`, remedy });
  switch (docker.kind) {
    case 'answers':
      return ok(id, title, `API ${docker.version} at ${docker.socket}`);
    case 'absent':
      return lack(`no ${docker.socket}`, 'Run as root: apt-get install --no-install-recommends docker.io');
    case 'denied':
      return lack(
        `this user may not open ${docker.socket}`,
        'Run as root: usermod -aG docker USER, and log in again.',
      );
    case 'silent':
      return lack(
        `${docker.socket} does not answer (${docker.reason})`,
        'Run as root: systemctl start docker',
      );
    default:
      return docker satisfies never;
  }
};
