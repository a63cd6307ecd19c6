import { type Check, missing, optional } from './check.ts';
import { errno, errnoWords } from './errno-words.ts';
import type { MachineFacts, ProbeAnswer } from './facts.ts';
import { judgeProbed } from './judge-launcher.ts';

const isRoot = ({ effectiveUser }: MachineFacts): boolean => effectiveUser === 0;

/** An ordinary user has no other way to the rest; root needs them for identity-mapped mounts only. */
export const judgeUserNamespaces = (facts: MachineFacts): Check => {
  const id = 'user_namespaces';
  const title = 'User namespaces';
  const works = isRoot(facts) ? 'root can make them' : `user ${facts.effectiveUser} can make them`;
  const no = (said: ProbeAnswer): Check => {
    const lack = { detail: errnoWords(said), remedy: userNamespaceRemedy(facts, said) };
    return isRoot(facts) ? optional(id, title, lack) : missing(id, title, lack);
  };
  return judgeProbed(facts, { id, title, key: 'userns', works, no });
};

const userNamespaceRemedy = ({ sysctls }: MachineFacts, said: ProbeAnswer): string => {
  if (sysctls.get('kernel.unprivileged_userns_clone') === '0') {
    return 'Run as root: sysctl -w kernel.unprivileged_userns_clone=1';
  }
  if (sysctls.get('kernel.apparmor_restrict_unprivileged_userns') === '1') {
    return 'Run as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or give openshell-launcher an AppArmor profile with "userns,")';
  }
  const limit = Number(sysctls.get('user.max_user_namespaces') ?? Number.POSITIVE_INFINITY);
  if (limit === 0 || said.errno === errno.noSpace || said.errno === errno.userLimit) {
    return `Run as root: sysctl -w user.max_user_namespaces=${Math.max(15_000, limit === Number.POSITIVE_INFINITY ? 0 : limit * 2)}`;
  }
  return containerRemedy(said);
};

/** What most often refuses a system call that the kernel itself has. */
const containerRemedy = (said: ProbeAnswer): string =>
  said.errno === errno.noSystemCall
    ? 'Boot a kernel that was built with namespaces (CONFIG_NAMESPACES, CONFIG_USER_NS).'
    : 'In a container: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined, and as root with --cap-add SYS_ADMIN --cap-add NET_ADMIN too.';

/** They are what keeps a sandbox from every network. */
export const judgeNetworkNamespaces = (facts: MachineFacts): Check => {
  const id = 'network_namespaces';
  const title = 'Network namespaces';
  const no = (said: ProbeAnswer): Check => {
    const exhausted = facts.sysctls.get('user.max_net_namespaces') === '0' || said.errno === errno.noSpace;
    const viaUser = isRoot(facts) ? '' : 'First remedy user namespaces, if they are missing. ';
    const remedy = exhausted
      ? 'Run as root: sysctl -w user.max_net_namespaces=15000'
      : viaUser + containerRemedy(said);
    return missing(id, title, { detail: errnoWords(said), remedy });
  };
  return judgeProbed(facts, {
    id,
    title,
    key: 'netns',
    works: 'a network with nothing in it can be made',
    no,
  });
};

/** They are what hides the files of the host. */
export const judgeMounts = (facts: MachineFacts): Check => {
  const id = 'mounts';
  const title = 'Mount namespaces';
  const no = (said: ProbeAnswer): Check =>
    missing(id, title, { detail: errnoWords(said), remedy: containerRemedy(said) });
  return judgeProbed(facts, {
    id,
    title,
    key: 'newmount',
    works: 'a view of the file system can be made',
    no,
  });
};

/** Only root has a use for them, and only root can make them. */
export const judgeIdmap = (facts: MachineFacts): readonly Check[] => {
  if (!isRoot(facts)) return [];
  const id = 'idmapped_mounts';
  const title = 'Identity-mapped mounts';
  const no = (said: ProbeAnswer): Check =>
    missing(id, title, {
      detail: `${errnoWords(said)}; the file system of this directory may not have them`,
      remedy:
        'Start OpenShell as the ordinary user who owns the directory, or keep the directory on ext4, xfs or btrfs and boot Linux 5.12 or later.',
    });
  const works = "a command that root starts can write the directory without being the host's root";
  return [judgeProbed(facts, { id, title, key: 'idmap', works, no })];
};

/** Without capture nothing more gets out: programs that ignore the proxy variables are refused rather than served. */
export const judgeCapture = (facts: MachineFacts): readonly Check[] =>
  [
    { id: 'capture_ipv4', title: 'Capture, IPv4', key: 'tproxy4' },
    { id: 'capture_ipv6', title: 'Capture, IPv6', key: 'tproxy6' },
  ].map(({ id, title, key }) => {
    const no = (said: ProbeAnswer): Check =>
      optional(id, title, {
        detail: `${errnoWords(said)}; programs that ignore proxy variables are refused, not served under the policy`,
        remedy:
          'Run as root: modprobe -a nf_tables nft_tproxy nf_tproxy_ipv4 nf_tproxy_ipv6 (or boot a kernel built with CONFIG_NFT_TPROXY)',
      });
    return judgeProbed(facts, { id, title, key, works: 'nf_tables and tproxy work in a new network', no });
  });
