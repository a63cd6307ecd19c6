import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpenShellError } from '@openshell/base';
import fc from 'fast-check';
import { buildSeccompProgram, SECCOMP_RULES, seccompArchitecture, seccompDocumentation } from './index.ts';
import { type FilterRun, runFilter } from './interpreter.ts';
import type { ArgumentTest, RefusalErrno, SeccompRule } from './rules.ts';
import { type SeccompArchitecture, syscallNames } from './syscall-table.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const ERRNO = { EPERM: 1, ENOSYS: 38, EPROTONOSUPPORT: 93, EOPNOTSUPP: 95, EAFNOSUPPORT: 97 };
const refused = (errno: RefusalErrno): number => 0x50000 | ERRNO[errno];

const ARCHITECTURES = [
  { arch: 'x64', audit: 0xc000003e, foreign: 0x40000003 },
  { arch: 'arm64', audit: 0xc00000b7, foreign: 0x40000028 },
] as const;

const PROGRAMS = { x64: buildSeccompProgram({ arch: 'x64' }), arm64: buildSeccompProgram({ arch: 'arm64' }) };
const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 };
const NUMBERS = {
  x64: new Map([...syscallNames('x64')].map(([number, name]) => [name, number])),
  arm64: new Map([...syscallNames('arm64')].map(([number, name]) => [name, number])),
};

const call = (arch: SeccompArchitecture, number: number, args: readonly bigint[] = []): FilterRun =>
  runFilter(PROGRAMS[arch], { number, arch: AUDIT[arch], args });

const HIGH = 0xdeadbeef_00000000n;

describe('the tables', () => {
  // Fixed points of the kernel's tables, among them the ends of each run and the places after each gap.
  const fixed: [SeccompArchitecture, string, number][] = [
    ['x64', 'read', 0],
    ['x64', 'ioctl', 16],
    ['x64', 'clone', 56],
    ['x64', 'ptrace', 101],
    ['x64', 'keyctl', 250],
    ['x64', 'seccomp', 317],
    ['x64', 'io_pgetevents', 333],
    ['x64', 'uprobe', 336],
    ['arm64', 'io_setup', 0],
    ['arm64', 'ioctl', 29],
    ['arm64', 'ptrace', 117],
    ['arm64', 'socket', 198],
    ['arm64', 'clone', 220],
    ['arm64', 'recvmmsg', 243],
    ['arm64', 'wait4', 260],
    ['arm64', 'kexec_file_load', 294],
  ];
  for (const arch of ['x64', 'arm64'] as const) {
    fixed.push([arch, 'pidfd_send_signal', 424], [arch, 'clone3', 435], [arch, 'memfd_secret', 447]);
    fixed.push([arch, 'statmount', 457], [arch, 'open_tree_attr', 467], [arch, 'file_setattr', 469]);
  }
  for (const [arch, name, number] of fixed) {
    test(`number ${number} is ${name} on ${arch}`, () => assert.equal(NUMBERS[arch].get(name), number));
  }

  test('name each call once', () => {
    for (const { arch } of ARCHITECTURES) assert.equal(NUMBERS[arch].size, syscallNames(arch).size);
  });

  test('have every call that a rule names', () => {
    for (const name of SECCOMP_RULES.flatMap((rule) => rule.syscalls)) {
      assert.ok(NUMBERS.x64.has(name) || NUMBERS.arm64.has(name), name);
    }
  });

  test('meet no rule that a rule for the same call makes pointless', () => {
    const always = SECCOMP_RULES.filter((rule) => rule.when === undefined).flatMap((rule) => rule.syscalls);
    const sometimes = SECCOMP_RULES.filter((rule) => rule.when !== undefined).flatMap(
      (rule) => rule.syscalls,
    );
    assert.equal(new Set(always).size, always.length);
    assert.deepEqual(
      sometimes.filter((name) => always.includes(name)),
      [],
    );
  });
});

describe('the filter', () => {
  for (const { arch, audit, foreign } of ARCHITECTURES) {
    test(`fits the kernel's limit on ${arch}`, () => assert.ok(PROGRAMS[arch].length / 8 <= 4096));

    test(`kills a 32-bit call on ${arch}, whatever its number`, () => {
      for (const number of [0, 1, 11, 102, 500, 0xffffffff]) {
        assert.equal(runFilter(PROGRAMS[arch], { number, arch: foreign, args: [] }).action, KILL);
      }
      assert.notEqual(runFilter(PROGRAMS[arch], { number: 1, arch: audit, args: [] }).action, KILL);
    });

    test(`answers ENOSYS on ${arch} to every number that is not in the table, x32 included`, () => {
      const names = syscallNames(arch);
      const numbers = Array.from({ length: 2048 }, (_, number) => number).filter(
        (number) => !names.has(number),
      );
      for (const number of [...numbers, 0x40000000, 0x40000000 + 101, 0x7fffffff, 0x80000000, 0xffffffff]) {
        assert.equal(call(arch, number).action, refused('ENOSYS'), String(number));
      }
    });

    test(`allows on ${arch} every known call that no rule names, without looking at arguments`, () => {
      const ruled = new Set(SECCOMP_RULES.flatMap((rule) => rule.syscalls));
      let checked = 0;
      for (const [number, name] of syscallNames(arch)) {
        if (ruled.has(name)) continue;
        assert.deepEqual(call(arch, number), { action: ALLOW, looked: false }, name);
        checked++;
      }
      assert.ok(checked > 200);
    });
  }
});

/** Arguments that meet every test of a rule. */
function meeting(rule: SeccompRule): fc.Arbitrary<bigint[]> {
  const words = Array.from({ length: 6 }, () => fc.nat(0xffffffff));
  return fc
    .tuple(fc.tuple(...words), fc.array(fc.nat(0xffffffff), { minLength: 6, maxLength: 6 }))
    .chain(([low, high]) => {
      const fitted = low.map((word, argument) => {
        const tests = (rule.when ?? []).filter((each) => each.argument === argument);
        return tests.length === 0 ? fc.constant(word) : wordMeeting(tests[0]!, word);
      });
      return fc
        .tuple(...fitted)
        .map((fit) => fit.map((word, at) => (BigInt(high[at]!) << 32n) | BigInt(word >>> 0)));
    });
}

function wordMeeting(condition: ArgumentTest, noise: number): fc.Arbitrary<number> {
  const mask = condition.mask ?? 0xffffffff;
  const merge = (value: number): number => ((value & mask) | (noise & ~mask)) >>> 0;
  if (condition.is === 'one_of') return fc.constantFrom(...condition.values).map(merge);
  return fc
    .nat(0xffffffff)
    .filter((word) => !condition.values.includes((word & mask) >>> 0))
    .map(merge);
}

describe('each rule', () => {
  for (const [index, rule] of SECCOMP_RULES.entries()) {
    for (const { arch } of ARCHITECTURES) {
      for (const name of rule.syscalls.filter((each) => NUMBERS[arch].has(each))) {
        test(`${index} refuses ${name} on ${arch}, whatever the other arguments and the high halves are`, () => {
          const earlier = SECCOMP_RULES.slice(0, index).filter((each) => each.syscalls.includes(name));
          const errnos = new Set([rule, ...earlier].map((each) => refused(each.errno)));
          fc.assert(
            fc.property(meeting(rule), (args) =>
              errnos.has(call(arch, NUMBERS[arch].get(name)!, args).action),
            ),
            { numRuns: 60 },
          );
        });
      }
    }
  }
});

describe('the border of each rule', () => {
  type Case = [name: string, args: (number | bigint)[], expected: RefusalErrno | 'allowed'];
  const cases: Case[] = [
    ['socket', [1, 1, 0], 'allowed'],
    ['socket', [1, 3, 0], 'allowed'],
    ['socket', [2, 1, 0], 'allowed'],
    ['socket', [2, 0x80801, 6], 'allowed'],
    ['socket', [10, 0x80802, 17], 'allowed'],
    ['socket', [2, 3, 0], 'EPERM'],
    ['socket', [2, 0x80803, 255], 'EPERM'],
    ['socket', [HIGH | 2n, HIGH | 3n, HIGH], 'EPERM'],
    ['socket', [2, 10, 0x300], 'EPERM'],
    ['socket', [2, 5, 132], 'EPERM'],
    ['socket', [2, 1, 132], 'EPROTONOSUPPORT'],
    ['socket', [2, 1, 262], 'EPROTONOSUPPORT'],
    ['socket', [2, 2, 1], 'EPROTONOSUPPORT'],
    ['socket', [10, 2, 58], 'EPROTONOSUPPORT'],
    ['socket', [16, 3, 0], 'allowed'],
    ['socket', [16, 0x80003, HIGH], 'allowed'],
    ['socket', [16, 3, 9], 'EPROTONOSUPPORT'],
    ['socket', [16, 3, 12], 'EPROTONOSUPPORT'],
    ['socket', [HIGH | 16n, 3, HIGH | 15n], 'EPROTONOSUPPORT'],
    ['socket', [0, 1, 0], 'EAFNOSUPPORT'],
    ['socket', [17, 3, 0], 'EAFNOSUPPORT'],
    ['socket', [31, 3, 0], 'EAFNOSUPPORT'],
    ['socket', [38, 5, 0], 'EAFNOSUPPORT'],
    ['socket', [40, 1, 0], 'EAFNOSUPPORT'],
    ['socket', [44, 3, 0], 'EAFNOSUPPORT'],
    ['socket', [HIGH | 40n, 1, 0], 'EAFNOSUPPORT'],
    ['socket', [0xffffffff, 1, 0], 'EAFNOSUPPORT'],
    ['socketpair', [1, 1, 0], 'allowed'],
    ['socketpair', [2, 1, 0], 'EAFNOSUPPORT'],
    ['socketpair', [30, 1, 0], 'EAFNOSUPPORT'],
    ['clone', [0x3d0f00], 'allowed'],
    ['clone', [17], 'allowed'],
    ['clone', [0x80 | 17], 'allowed'],
    ['clone', [0x10000000], 'EPERM'],
    ['clone', [0x40000011], 'EPERM'],
    ['clone', [0x00020000], 'EPERM'],
    ['clone', [0x02000000], 'EPERM'],
    ['clone3', [0, 0], 'ENOSYS'],
    ['unshare', [0x10000000], 'EPERM'],
    ['unshare', [0x80], 'EPERM'],
    ['setns', [3, 0], 'EPERM'],
    ['ioctl', [0, 0x5401], 'allowed'],
    ['ioctl', [0, 0x5413], 'allowed'],
    ['ioctl', [0, 0x5414], 'allowed'],
    ['ioctl', [0, 0x5412], 'EPERM'],
    ['ioctl', [0, HIGH | 0x5412n], 'EPERM'],
    ['ioctl', [0, 0x1_0000_541cn], 'EPERM'],
    ['ioctl', [0, 0x5423], 'EPERM'],
    ['personality', [0], 'allowed'],
    ['personality', [0xffffffff], 'allowed'],
    ['personality', [0xffffffffffffffffn], 'allowed'],
    ['personality', [0x0040000], 'EPERM'],
    ['personality', [0x0400000], 'EPERM'],
    ['execveat', [3, 0, 0, 0, 0], 'allowed'],
    ['execveat', [3, 0, 0, 0, 0x100], 'allowed'],
    ['execveat', [3, 0, 0, 0, 0x1000], 'EPERM'],
    ['execveat', [3, 0, 0, 0, HIGH | 0x1100n], 'EPERM'],
    ['memfd_create', [0, 0], 'allowed'],
    ['seccomp', [1, 0], 'allowed'],
    ['seccomp', [1, 1], 'allowed'],
    ['seccomp', [1, 8], 'EPERM'],
    ['seccomp', [1, HIGH | 0x18n], 'EPERM'],
    ['prctl', [38, 1], 'allowed'],
    ['prctl', [22, 2], 'allowed'],
    ['prctl', [35, 14], 'EPERM'],
    ['mknodat', [-100n, 0, 0o010644], 'allowed'],
    ['mknodat', [-100n, 0, 0o100644], 'allowed'],
    ['mknodat', [-100n, 0, 0o140644], 'allowed'],
    ['mknodat', [-100n, 0, 0o020666], 'EPERM'],
    ['mknodat', [-100n, 0, 0o060666], 'EPERM'],
    ['mknodat', [-100n, 0, HIGH | 0o60666n], 'EPERM'],
    ['fchmod', [3, 0o2775], 'allowed'],
    ['fchmod', [3, 0o4755], 'EPERM'],
    ['fchmodat', [-100n, 0, 0o755], 'allowed'],
    ['fchmodat', [-100n, 0, 0o6755], 'EPERM'],
    ['fchmodat2', [-100n, 0, 0o4755], 'EPERM'],
    ['landlock_restrict_self', [3, 0], 'allowed'],
    ['pidfd_open', [1, 0], 'allowed'],
    ['open_tree_attr', [], 'EPERM'],
    ['listmount', [], 'ENOSYS'],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}(${args.map((arg) => `0x${BigInt.asUintN(64, BigInt(arg)).toString(16)}`)}) is ${expected}`, () => {
      for (const { arch } of ARCHITECTURES) {
        const words = args.map((arg) => BigInt.asUintN(64, BigInt(arg)));
        const { action } = call(arch, NUMBERS[arch].get(name)!, words);
        assert.equal(action, expected === 'allowed' ? ALLOW : refused(expected), arch);
      }
    });
  }
});

describe('against Docker', () => {
  // What moby's default profile refuses on x86-64 to a container without added capabilities.
  const always =
    'acct add_key afs_syscall bpf chroot clone3 clock_settime create_module delete_module fanotify_init ' +
    'finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy getpmsg init_module io_uring_enter ' +
    'io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind ' +
    'migrate_pages mount mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree ' +
    'perf_event_open pidfd_getfd pivot_root process_madvise putpmsg query_module quotactl quotactl_fd reboot ' +
    'request_key security set_mempolicy set_mempolicy_home_node setdomainname sethostname setns settimeofday ' +
    'swapoff swapon sysfs syslog tuxcall umount2 unshare uselib userfaultfd ustat vhangup vserver _sysctl';
  for (const name of always.split(' ')) {
    test(`${name} is refused here too`, () => {
      for (const { arch } of ARCHITECTURES) {
        const number = NUMBERS[arch].get(name);
        if (number !== undefined) assert.notEqual(call(arch, number).action, ALLOW, arch);
      }
    });
  }
});

test('an architecture without a filter is refused with its name', () => {
  assert.equal(seccompArchitecture('arm64'), 'arm64');
  assert.throws(
    () => seccompArchitecture('riscv64'),
    (error) =>
      error instanceof OpenShellError &&
      error.code === 'seccomp_architecture' &&
      /riscv64/.test(error.message),
  );
});

test('the documentation has one row for each rule, with a condition that a person can check', () => {
  const rows = seccompDocumentation().trimEnd().split('\n').slice(2);
  assert.equal(rows.length, SECCOMP_RULES.length);
  assert.ok(
    rows.some((row) => row.includes('`clone`') && row.includes('argument 0 has a bit of 0x7e020000')),
  );
  assert.ok(rows.every((row) => row.split('|').length === 6));
});
