import { OpenShellError } from '@openshell/base';
import { BackwardAssembler, type Label } from './bpf.ts';
import { type ArgumentTest, type RefusalErrno, SECCOMP_RULES, type SeccompRule } from './rules.ts';
import { type SeccompArchitecture, syscallNames } from './syscall-table.ts';

export interface SeccompProgramOptions {
  readonly arch: SeccompArchitecture;
}

// include/uapi/linux/seccomp.h: actions, and offsets in struct seccomp_data
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0000;
const KILL_PROCESS = 0x8000_0000;
const OFFSET_NUMBER = 0;
const OFFSET_ARCH = 4;
// The low half of a 64-bit argument: both architectures are little endian.
const offsetOfArgument = (argument: number): number => 16 + 8 * argument;

// include/uapi/linux/audit.h
const AUDIT_ARCH: Readonly<Record<SeccompArchitecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

// include/uapi/asm-generic/errno.h, the same on both architectures
const ERRNO_NUMBER: Readonly<Record<RefusalErrno, number>> = {
  EPERM: 1,
  ENOSYS: 38,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
};

/** What happens to one system call number. */
type Verdict =
  | { readonly kind: 'allow' }
  | { readonly kind: 'refuse'; readonly errno: RefusalErrno }
  | { readonly kind: 'examine'; readonly rules: readonly SeccompRule[] };

/** From this number up to the next span's first one. */
interface Span {
  readonly first: number;
  readonly verdict: Verdict;
}

const ALLOWED: Verdict = { kind: 'allow' };
const UNKNOWN: Verdict = { kind: 'refuse', errno: 'ENOSYS' };

/** Narrows Node's name of an architecture. Throws `seccomp_architecture` for one that has no filter. */
export function seccompArchitecture(arch: string): SeccompArchitecture {
  if (arch === 'x64' || arch === 'arm64') return arch;
  throw new OpenShellError(`There is no system call filter for the architecture ${arch}.`, {
    code: 'seccomp_architecture',
    remedy: 'Use x86-64 or arm64, or another runtime kind (--runtime).',
  });
}

/**
 * The system call filter as classic BPF: `struct sock_filter` after `struct sock_filter`, for `seccomp(2)`.
 *
 * Another instruction set's entry (32-bit x86, 32-bit Arm) kills the process: its numbers mean other calls, and a
 * 32-bit program could not even print the error. x32 and numbers that we do not know get ENOSYS, as from a kernel
 * without them, so what future kernels add stays off until it has been looked at. The number is found by a balanced
 * tree; calls that are allowed without a condition never reach an argument, which lets the kernel (since 5.11)
 * keep them in a bitmap and not run the filter at all.
 */
export function buildSeccompProgram(options: SeccompProgramOptions): Uint8Array {
  const assembler = new BackwardAssembler();
  const tree = placeTree(assembler, spansOf(options.arch));
  const number = assembler.load(OFFSET_NUMBER, tree);
  const foreign = assembler.return(KILL_PROCESS);
  const entry = assembler.branch('equal', AUDIT_ARCH[options.arch], number, foreign);
  assembler.load(OFFSET_ARCH, entry);
  return assembler.toBytes();
}

function spansOf(arch: SeccompArchitecture): readonly Span[] {
  const names = syscallNames(arch);
  const rules = rulesByName();
  const spans: Span[] = [];
  const highest = Math.max(...names.keys());
  for (let number = 0; number <= highest + 1; number++) {
    const name = names.get(number);
    const verdict = name === undefined ? UNKNOWN : (rules.get(name) ?? ALLOWED);
    if (!sameVerdict(spans.at(-1)?.verdict, verdict)) spans.push({ first: number, verdict });
  }
  return spans;
}

function rulesByName(): ReadonlyMap<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const rule of SECCOMP_RULES) {
    for (const name of rule.syscalls) verdicts.set(name, withRule(verdicts.get(name), rule));
  }
  return verdicts;
}

function withRule(earlier: Verdict | undefined, rule: SeccompRule): Verdict {
  if (rule.when === undefined) return { kind: 'refuse', errno: rule.errno };
  const rules = earlier?.kind === 'examine' ? earlier.rules : [];
  return { kind: 'examine', rules: [...rules, rule] };
}

function sameVerdict(one: Verdict | undefined, other: Verdict): boolean {
  if (one?.kind === 'refuse' && other.kind === 'refuse') return one.errno === other.errno;
  return one?.kind === 'allow' && other.kind === 'allow';
}

/** Expects the number in the accumulator; goes to the verdict of the span that it lies in. */
function placeTree(assembler: BackwardAssembler, spans: readonly Span[]): Label {
  const middle = spans.length >> 1;
  const pivot = spans[middle]!;
  if (middle === 0) return placeVerdict(assembler, pivot.verdict);
  const above = placeTree(assembler, spans.slice(middle));
  const below = placeTree(assembler, spans.slice(0, middle));
  return assembler.branch('greater_or_equal', pivot.first, above, below);
}

function placeVerdict(assembler: BackwardAssembler, verdict: Verdict): Label {
  switch (verdict.kind) {
    case 'allow':
      return assembler.return(ALLOW);
    case 'refuse':
      return assembler.return(refusal(verdict.errno));
    case 'examine':
      return verdict.rules.reduceRight(
        (otherwise, rule) => placeRule(assembler, rule, otherwise),
        assembler.return(ALLOW),
      );
    default:
      return verdict satisfies never;
  }
}

const refusal = (errno: RefusalErrno): number => ERRNO | ERRNO_NUMBER[errno];

function placeRule(assembler: BackwardAssembler, rule: SeccompRule, otherwise: Label): Label {
  return (rule.when ?? []).reduceRight(
    (holds, test) => placeTest(assembler, test, holds, otherwise),
    assembler.return(refusal(rule.errno)),
  );
}

function placeTest(assembler: BackwardAssembler, test: ArgumentTest, holds: Label, fails: Label): Label {
  const [member, stranger] = test.is === 'one_of' ? [holds, fails] : [fails, holds];
  const compared = test.values.reduceRight(
    (next, value) => assembler.branch('equal', value, member, next),
    stranger,
  );
  const masked = test.mask === undefined ? compared : assembler.and(test.mask, compared);
  return assembler.load(offsetOfArgument(test.argument), masked);
}
