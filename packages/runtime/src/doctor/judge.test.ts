import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Check, CheckStatus } from './check.ts';
import type { LauncherFacts, MachineFacts, ProbeAnswer } from './facts.ts';
import { judgeMachine } from './judge.ts';

const yes: ProbeAnswer = { value: 1, errno: 0 };
const no = (errno: number): ProbeAnswer => ({ value: 0, errno });

const allYes: Readonly<Record<string, ProbeAnswer>> = {
  landlock_abi: { value: 7, errno: 0 },
  seccomp: yes,
  seccomp_notify: yes,
  userns: yes,
  netns: yes,
  tproxy4: yes,
  tproxy6: yes,
  newmount: yes,
  idmap: yes,
};

const answering = (answers: Readonly<Record<string, ProbeAnswer>> = {}): LauncherFacts => ({
  kind: 'answered',
  path: '/launcher',
  answers: new Map(Object.entries({ ...allYes, ...answers })),
});

const goodMachine: MachineFacts = {
  platform: 'linux',
  architecture: 'x64',
  kernelRelease: '6.12.0',
  effectiveUser: 1000,
  launcher: answering(),
  sysctls: new Map(),
  securityModules: ['capability', 'landlock'],
  cgroups: { layout: 'v2', pidsDirectory: '/sys/fs/cgroup/x', writable: true },
  tun: { kind: 'usable' },
  kvm: { kind: 'works' },
  programs: new Map(
    ['cc', 'runsc', 'crun', 'runc', 'kata-runtime'].map((name) => [name, { path: `/bin/${name}` }]),
  ),
  docker: { kind: 'answers', socket: '/docker.sock', version: '1.41' },
};

const judged = (facts: Partial<MachineFacts>) => judgeMachine({ ...goodMachine, ...facts });

const find = (checks: readonly Check[], id: string): Check => {
  const check = checks.find((candidate) => candidate.id === id);
  assert.ok(check, `there is no check ${id}`);
  return check;
};

test('a machine with everything is ready, and has no remedies', () => {
  const { ready, checks } = judged({});
  assert.equal(ready, true);
  for (const check of checks)
    assert.deepEqual([check.id, check.status, check.remedy], [check.id, 'ok', undefined]);
});

test('each check has an id of its own', () => {
  const ids = judged({ effectiveUser: 0 }).checks.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

describe('what a machine lacks', () => {
  const cases: readonly [
    what: string,
    facts: Partial<MachineFacts>,
    id: string,
    status: CheckStatus,
    text: RegExp,
  ][] = [
    ['another system', { platform: 'darwin' }, 'platform', 'missing', /Run OpenShell on Linux/],
    ['another processor', { architecture: 'riscv64' }, 'platform', 'missing', /x86-64 or arm64/],
    ['an old kernel', { kernelRelease: '5.10.0-8-amd64' }, 'platform', 'missing', /Boot Linux 5.13/],
    ['an older kernel', { kernelRelease: '4.19' }, 'platform', 'missing', /Boot Linux 5.13/],
    ['no launcher', { launcher: { kind: 'absent' } }, 'launcher', 'missing', /not built.*npm ci/],
    [
      'a launcher that fails',
      { launcher: { kind: 'failed', path: '/l', reason: 'EACCES' } },
      'launcher',
      'missing',
      /\/l does not work here: EACCES/,
    ],
    [
      'no compiler, a launcher',
      { programs: new Map() },
      'compiler',
      'optional',
      /built already.*apt-get install/,
    ],
    [
      'no compiler, no launcher',
      { programs: new Map(), launcher: { kind: 'absent' } },
      'compiler',
      'missing',
      /apt-get install .*gcc libc6-dev/,
    ],
    [
      'no Landlock',
      { launcher: answering({ landlock_abi: no(0) }), securityModules: ['capability', 'yama'] },
      'landlock',
      'missing',
      /lsm=landlock,capability,yama/,
    ],
    [
      'Landlock that a container forbids',
      { launcher: answering({ landlock_abi: no(0) }) },
      'landlock',
      'missing',
      /seccomp profile of the container/,
    ],
    [
      'an early Landlock',
      { launcher: answering({ landlock_abi: { value: 2, errno: 0 } }) },
      'landlock',
      'optional',
      /ABI 2\. .*Boot Linux 6.12/,
    ],
    [
      'a late Landlock',
      { launcher: answering({ landlock_abi: { value: 5, errno: 0 } }) },
      'landlock',
      'optional',
      /ABI 5\. .*Boot Linux 6.12/,
    ],
    [
      'no seccomp',
      { launcher: answering({ seccomp: no(22) }) },
      'seccomp',
      'missing',
      /EINVAL: invalid argument.*CONFIG_SECCOMP_FILTER/,
    ],
    [
      'no notification',
      { launcher: answering({ seccomp_notify: no(95) }) },
      'seccomp_notify',
      'optional',
      /nothing uses it yet.*Linux 5.0/,
    ],
    [
      'user namespaces switched off as Debian does',
      {
        launcher: answering({ userns: no(1) }),
        sysctls: new Map([['kernel.unprivileged_userns_clone', '0']]),
      },
      'user_namespaces',
      'missing',
      /EPERM.*sysctl -w kernel.unprivileged_userns_clone=1/,
    ],
    [
      'user namespaces switched off as Ubuntu does',
      {
        launcher: answering({ userns: no(13) }),
        sysctls: new Map([['kernel.apparmor_restrict_unprivileged_userns', '1']]),
      },
      'user_namespaces',
      'missing',
      /apparmor_restrict_unprivileged_userns=0/,
    ],
    [
      'user namespaces limited to none',
      { launcher: answering({ userns: no(28) }), sysctls: new Map([['user.max_user_namespaces', '0']]) },
      'user_namespaces',
      'missing',
      /user.max_user_namespaces=15000/,
    ],
    [
      'user namespaces used up',
      { launcher: answering({ userns: no(28) }), sysctls: new Map([['user.max_user_namespaces', '20000']]) },
      'user_namespaces',
      'missing',
      /user.max_user_namespaces=40000/,
    ],
    [
      'user namespaces that a container forbids',
      { launcher: answering({ userns: no(1) }) },
      'user_namespaces',
      'missing',
      /--security-opt seccomp=unconfined/,
    ],
    [
      'user namespaces that the kernel has not',
      { launcher: answering({ userns: no(38) }) },
      'user_namespaces',
      'missing',
      /CONFIG_USER_NS/,
    ],
    [
      'user namespaces, for root',
      { effectiveUser: 0, launcher: answering({ userns: no(1) }) },
      'user_namespaces',
      'optional',
      /EPERM/,
    ],
    [
      'network namespaces',
      { launcher: answering({ netns: no(1) }) },
      'network_namespaces',
      'missing',
      /First remedy user namespaces/,
    ],
    [
      'network namespaces, for root',
      { effectiveUser: 0, launcher: answering({ netns: no(1) }) },
      'network_namespaces',
      'missing',
      /EPERM.* In a container: .*--cap-add NET_ADMIN/,
    ],
    [
      'network namespaces limited to none',
      { launcher: answering({ netns: no(28) }) },
      'network_namespaces',
      'missing',
      /user.max_net_namespaces=15000/,
    ],
    ['the mount API', { launcher: answering({ newmount: no(38) }) }, 'mounts', 'missing', /ENOSYS/],
    [
      'identity-mapped mounts, for root',
      { effectiveUser: 0, launcher: answering({ idmap: no(22) }) },
      'idmapped_mounts',
      'missing',
      /EINVAL.*ext4, xfs or btrfs/,
    ],
    [
      'capture',
      { launcher: answering({ tproxy4: no(2) }) },
      'capture_ipv4',
      'optional',
      /ENOENT.*refused, not served.*modprobe/,
    ],
    [
      'capture of IPv6',
      { launcher: answering({ tproxy6: no(93) }) },
      'capture_ipv6',
      'optional',
      /EPROTONOSUPPORT.*modprobe/,
    ],
    [
      'a reason that no table has',
      { launcher: answering({ newmount: no(250) }) },
      'mounts',
      'missing',
      /error 250/,
    ],
    ['a reason', { launcher: answering({ newmount: no(0) }) }, 'mounts', 'missing', /no reason given/],
    [
      'control groups',
      { cgroups: { layout: 'none', writable: false } },
      'cgroups',
      'optional',
      /without a limit of processes.*rlimits alone/,
    ],
    [
      'control groups of its own',
      { cgroups: { layout: 'v2', pidsDirectory: '/x', writable: false } },
      'cgroups',
      'optional',
      /systemd-run --user/,
    ],
    ['a tun device', { tun: { kind: 'absent' } }, 'tun', 'optional', /modprobe tun/],
    ['access to the tun device', { tun: { kind: 'denied' } }, 'tun', 'optional', /chmod 0666/],
    ['KVM', { kvm: { kind: 'absent' } }, 'kvm', 'optional', /modprobe kvm_intel/],
    ['access to KVM', { kvm: { kind: 'denied' } }, 'kvm', 'optional', /usermod -aG kvm/],
    [
      'a KVM that works',
      { kvm: { kind: 'fails', reason: 'it hangs' } },
      'kvm',
      'optional',
      /no guest runs: it hangs/,
    ],
    [
      'something to try KVM with',
      { kvm: { kind: 'untried' } },
      'kvm',
      'optional',
      /proves little.*qemu-system-x86/,
    ],
    [
      'something to try KVM with, on arm64',
      { architecture: 'arm64', kvm: { kind: 'untried' } },
      'kvm',
      'optional',
      /x86-64 only/,
    ],
    ['gVisor', { programs: new Map() }, 'runsc', 'optional', /not on PATH.*gvisor.dev/],
    ['Docker', { docker: { kind: 'absent', socket: '/d' } }, 'docker', 'optional', /no \/d.*docker.io/],
    [
      'access to Docker',
      { docker: { kind: 'denied', socket: '/d' } },
      'docker',
      'optional',
      /usermod -aG docker/,
    ],
    [
      'an answer of Docker',
      { docker: { kind: 'silent', socket: '/d', reason: 'ECONNREFUSED' } },
      'docker',
      'optional',
      /does not answer \(ECONNREFUSED\).*systemctl start docker/,
    ],
  ];
  for (const [what, facts, id, status, text] of cases) {
    test(`is told with its remedy: ${what}`, () => {
      const { ready, checks } = judged(facts);
      const check = find(checks, id);
      assert.equal(check.status, status);
      assert.match(`${check.detail} ${check.remedy}`, text);
      assert.equal(ready, status !== 'missing');
    });
  }
});

test('without the launcher, what only it can try is unknown, and nothing is ready', () => {
  const sysctls = new Map([['kernel.seccomp.actions_avail', 'kill_process errno user_notif allow']]);
  const { ready, checks } = judged({ launcher: { kind: 'absent' }, sysctls });
  const statuses = Object.fromEntries(checks.map(({ id, status }) => [id, status]));
  assert.equal(ready, false);
  for (const id of ['landlock', 'user_namespaces', 'network_namespaces', 'mounts', 'capture_ipv4']) {
    assert.equal(statuses[id], 'unknown', id);
  }
  assert.deepEqual([statuses.seccomp, statuses.seccomp_notify], ['ok', 'ok']);
});

test('without the launcher, a kernel that lists no filters has none', () => {
  const sysctls = new Map([['kernel.seccomp.actions_avail', 'kill_process']]);
  const { checks } = judged({ launcher: { kind: 'absent' }, sysctls });
  assert.equal(find(checks, 'seccomp').status, 'missing');
  assert.equal(find(checks, 'seccomp_notify').status, 'optional');
  assert.equal(find(judged({ launcher: { kind: 'absent' } }).checks, 'seccomp').status, 'unknown');
});

test('identity-mapped mounts are asked for as root only', () => {
  assert.ok(judged({ effectiveUser: 0 }).checks.some(({ id }) => id === 'idmapped_mounts'));
  assert.ok(!judged({}).checks.some(({ id }) => id === 'idmapped_mounts'));
});

test('the version of an OCI runtime is shown', () => {
  const programs = new Map([['runc', { path: '/bin/runc', version: 'runc version 1.1' }]]);
  assert.equal(find(judged({ programs }).checks, 'runc').detail, 'runc version 1.1 (/bin/runc)');
});
