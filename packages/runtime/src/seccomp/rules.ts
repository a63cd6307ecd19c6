/** What a refused call returns. Each is the answer that programs already know how to live with. */
export type RefusalErrno = 'EPERM' | 'ENOSYS' | 'EAFNOSUPPORT' | 'EPROTONOSUPPORT' | 'EOPNOTSUPP';

/**
 * A condition on one argument. Only the low 32 bits are looked at: each argument named below is an `int`, an
 * `unsigned int` or narrower inside the kernel, so the high half is ignored there and must not dodge us here.
 */
export interface ArgumentTest {
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  /** Bits that count; all 32 when absent. */
  readonly mask?: number;
  readonly is: 'one_of' | 'none_of';
  readonly values: readonly number[];
}

/** One reason to refuse. Rules for the same call are tried in order; what no rule refuses is allowed. */
export interface SeccompRule {
  readonly syscalls: readonly string[];
  /** All must hold; absent means whatever the arguments. */
  readonly when?: readonly ArgumentTest[];
  readonly errno: RefusalErrno;
  readonly why: string;
}

const anyBit = (argument: ArgumentTest['argument'], mask: number): ArgumentTest => ({
  argument,
  mask,
  is: 'none_of',
  values: [0],
});

// include/uapi/linux/sched.h: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME (0x80) is not
// here: in clone(2) that bit belongs to the exit signal.
const CLONE_NEW_ANY = 0x7e02_0000;

// include/linux/socket.h and include/linux/net.h
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_TYPE_MASK = 0xf;
const IPPROTO_DEFAULT = 0;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const NETLINK_ROUTE = 0;

const internetFamily: ArgumentTest = { argument: 0, is: 'one_of', values: [AF_INET, AF_INET6] };

// include/uapi/linux/stat.h
const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_ISUID = 0o4000;

// include/uapi/asm-generic/ioctls.h, the same on both architectures
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const TIOCSETD = 0x5423;

// include/uapi/linux/resource.h and include/uapi/linux/ioprio.h
const PRIO_USER = 2;
const IOPRIO_WHO_USER = 3;

/** The sandbox's init: it has the workload's user, so that the kernel alone would let the workload reach it. */
const INIT = 1;

const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
const PR_SET_MM = 35;
const AT_EMPTY_PATH = 0x1000;

// PER_LINUX, PER_LINUX32 and UNAME26, each alone or together, and the query.
const HARMLESS_PERSONALITIES = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/**
 * The whole policy. It covers everything that Docker's default profile refuses to an unprivileged container, and
 * what an agent's workload has no honest use for. `EPERM` unless another answer makes callers carry on.
 */
export const SECCOMP_RULES: readonly SeccompRule[] = [
  {
    syscalls: [
      'mount',
      'umount2',
      'pivot_root',
      'fsopen',
      'fsconfig',
      'fsmount',
      'fspick',
      'move_mount',
      'open_tree',
      'open_tree_attr',
      'mount_setattr',
    ],
    errno: 'EPERM',
    why: 'The mount tree is part of the boundary: nothing may be added, uncovered or made writable.',
  },
  {
    syscalls: ['chroot'],
    errno: 'EPERM',
    why: 'Changing the root moves path checks away from the tree that was set up.',
  },
  {
    syscalls: ['unshare', 'setns'],
    errno: 'EPERM',
    why: 'A new user namespace gives capabilities over the kernel inside it; an existing one may be outside.',
  },
  {
    syscalls: ['clone'],
    when: [anyBit(0, CLONE_NEW_ANY)],
    errno: 'EPERM',
    why: 'The same as unshare; threads and processes stay possible.',
  },
  {
    syscalls: ['clone3'],
    errno: 'ENOSYS',
    why: 'Its flags lie in memory, where a filter cannot look; libc falls back to clone.',
  },
  {
    syscalls: ['ptrace', 'process_vm_readv', 'process_vm_writev', 'process_madvise', 'kcmp', 'pidfd_getfd'],
    errno: 'EPERM',
    why: 'Reading, steering or borrowing from another process, of the same user too: identity is per program.',
  },
  {
    syscalls: ['prlimit64', 'sched_setparam', 'sched_setscheduler', 'sched_setattr', 'sched_setaffinity'],
    when: [{ argument: 0, is: 'one_of', values: [INIT] }],
    errno: 'EPERM',
    why: 'The init’s limits and scheduling decide whether the sandbox is still served; everybody else’s stay free.',
  },
  {
    syscalls: ['setpriority', 'ioprio_set'],
    when: [{ argument: 1, is: 'one_of', values: [INIT] }],
    errno: 'EPERM',
    why: 'The same, for the init as a process and as a group.',
  },
  {
    syscalls: ['setpriority'],
    when: [{ argument: 0, is: 'one_of', values: [PRIO_USER] }],
    errno: 'EPERM',
    why: 'Everything of the user, the init among it.',
  },
  {
    syscalls: ['ioprio_set'],
    when: [{ argument: 0, is: 'one_of', values: [IOPRIO_WHO_USER] }],
    errno: 'EPERM',
    why: 'The same as setpriority.',
  },
  {
    syscalls: ['bpf', 'perf_event_open', 'userfaultfd', 'fanotify_init'],
    errno: 'EPERM',
    why: 'Large kernel interfaces that look past the sandbox or make kernel races winnable.',
  },
  {
    syscalls: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
    errno: 'ENOSYS',
    why: 'It does the work of other system calls without passing any filter; its users have another way.',
  },
  {
    syscalls: ['keyctl', 'add_key', 'request_key'],
    errno: 'EPERM',
    why: 'Keyrings are not namespaced: keys of the host user could be read and kept.',
  },
  {
    syscalls: ['kexec_load', 'kexec_file_load', 'init_module', 'finit_module', 'delete_module', 'reboot'],
    errno: 'EPERM',
    why: 'They replace or extend the running kernel.',
  },
  {
    syscalls: ['open_by_handle_at'],
    errno: 'EPERM',
    why: 'Opens files by inode, outside every mount boundary.',
  },
  {
    syscalls: ['name_to_handle_at'],
    errno: 'EOPNOTSUPP',
    why: 'Makes such handles; the errno is that of a file system without them, which every caller expects.',
  },
  {
    syscalls: ['execveat'],
    when: [anyBit(4, AT_EMPTY_PATH)],
    errno: 'EPERM',
    why: 'Runs a descriptor, so a program that never had a path: an identity that no policy can name.',
  },
  {
    syscalls: ['socket'],
    when: [{ argument: 0, is: 'none_of', values: [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] }],
    errno: 'EAFNOSUPPORT',
    why: 'Packet, vsock, Bluetooth, ALG, XDP and every other family go around the egress or are rarely reviewed.',
  },
  {
    syscalls: ['socket'],
    when: [
      { argument: 0, is: 'one_of', values: [AF_NETLINK] },
      { argument: 2, is: 'none_of', values: [NETLINK_ROUTE] },
    ],
    errno: 'EPROTONOSUPPORT',
    why: 'Netfilter, audit, uevents and the like; interface queries stay. Audit clients take this errno for "none".',
  },
  {
    syscalls: ['socket'],
    when: [
      internetFamily,
      { argument: 1, mask: SOCK_TYPE_MASK, is: 'none_of', values: [SOCK_STREAM, SOCK_DGRAM] },
    ],
    errno: 'EPERM',
    why: 'Raw sockets, and SOCK_PACKET, which the kernel turns into the packet family.',
  },
  {
    syscalls: ['socket'],
    when: [
      internetFamily,
      { argument: 2, is: 'none_of', values: [IPPROTO_DEFAULT, IPPROTO_TCP, IPPROTO_UDP] },
    ],
    errno: 'EPROTONOSUPPORT',
    why: 'ICMP, SCTP, MPTCP and others pass no capture; this errno makes MPTCP clients use TCP.',
  },
  {
    syscalls: ['socketpair'],
    when: [{ argument: 0, is: 'none_of', values: [AF_UNIX] }],
    errno: 'EAFNOSUPPORT',
    why: 'Only Unix sockets come in useful pairs; the other families are reachable kernel code for nothing.',
  },
  {
    syscalls: ['ioctl'],
    when: [{ argument: 1, is: 'one_of', values: [TIOCSTI, TIOCLINUX, TIOCSETD] }],
    errno: 'EPERM',
    why: 'Typing into the terminal that also belongs to the person outside; loading line disciplines.',
  },
  {
    syscalls: ['personality'],
    when: [{ argument: 0, is: 'none_of', values: HARMLESS_PERSONALITIES }],
    errno: 'EPERM',
    why: 'Other personalities take away address randomisation or make readable memory executable.',
  },
  {
    syscalls: ['seccomp'],
    when: [anyBit(1, SECCOMP_FILTER_FLAG_NEW_LISTENER)],
    errno: 'EPERM',
    why: 'A listener answers system calls in the place of the kernel. Stricter filters on top stay possible.',
  },
  {
    syscalls: ['prctl'],
    when: [{ argument: 0, is: 'one_of', values: [PR_SET_MM] }],
    errno: 'EPERM',
    why: 'PR_SET_MM_EXE_FILE changes what /proc says a process runs, which is our evidence of who asked.',
  },
  {
    syscalls: ['mknod'],
    when: [{ argument: 1, mask: S_IFMT, is: 'one_of', values: [S_IFCHR, S_IFBLK] }],
    errno: 'EPERM',
    why: 'Device nodes are a way to the hardware; FIFOs, sockets and plain files stay possible.',
  },
  {
    syscalls: ['mknodat'],
    when: [{ argument: 2, mask: S_IFMT, is: 'one_of', values: [S_IFCHR, S_IFBLK] }],
    errno: 'EPERM',
    why: 'The same as mknod.',
  },
  {
    // Only chmod matters: a file born with the bit loses it at the first write, so it stays empty. The set-group-ID
    // bit stays possible, because shared directories are made with it.
    syscalls: ['chmod', 'fchmod'],
    when: [anyBit(1, S_ISUID)],
    errno: 'EPERM',
    why: 'A set-user-ID file in a shared directory outlives the sandbox and lends its user to whoever runs it.',
  },
  {
    syscalls: ['fchmodat', 'fchmodat2'],
    when: [anyBit(2, S_ISUID)],
    errno: 'EPERM',
    why: 'The same as chmod.',
  },
  {
    syscalls: ['settimeofday', 'clock_settime', 'adjtimex', 'clock_adjtime'],
    errno: 'EPERM',
    why: 'The clock is the whole machine’s.',
  },
  {
    syscalls: [
      'sethostname',
      'setdomainname',
      'acct',
      'quotactl',
      'quotactl_fd',
      'swapon',
      'swapoff',
      'vhangup',
    ],
    errno: 'EPERM',
    why: 'Administration of the machine.',
  },
  {
    syscalls: ['syslog'],
    errno: 'EPERM',
    why: 'The kernel’s log names the host’s processes, addresses and devices.',
  },
  {
    syscalls: ['iopl', 'ioperm'],
    errno: 'EPERM',
    why: 'Direct access to I/O ports.',
  },
  {
    syscalls: ['modify_ldt'],
    errno: 'ENOSYS',
    why: 'Only 16-bit programs need it, and it has been the root of several kernel holes.',
  },
  {
    syscalls: [
      'get_mempolicy',
      'set_mempolicy',
      'mbind',
      'set_mempolicy_home_node',
      'migrate_pages',
      'move_pages',
    ],
    errno: 'ENOSYS',
    why: 'Memory placement of the machine; libnuma takes this errno for "no NUMA" and carries on.',
  },
  {
    syscalls: ['statmount', 'listmount'],
    errno: 'ENOSYS',
    why: 'They show mounts of other namespaces when misused; libmount falls back to /proc/self/mountinfo.',
  },
  {
    syscalls: ['lsm_get_self_attr', 'lsm_set_self_attr', 'lsm_list_modules', 'file_getattr', 'file_setattr'],
    errno: 'ENOSYS',
    why: 'Newer than Docker’s list and not needed: programs use /proc and ioctl when these are missing.',
  },
  {
    syscalls: [
      'lookup_dcookie',
      'nfsservctl',
      'uselib',
      'ustat',
      'sysfs',
      '_sysctl',
      'create_module',
      'get_kernel_syms',
      'query_module',
      'getpmsg',
      'putpmsg',
      'afs_syscall',
      'tuxcall',
      'security',
      'vserver',
    ],
    errno: 'ENOSYS',
    why: 'Gone from or never in current kernels; on an old kernel they are unreviewed code.',
  },
];
