import { landlockRequirement } from '../landlock/index.ts';
import { type Check, missing, ok, optional, untried } from './check.ts';
import { errnoWords } from './errno-words.ts';
import type { MachineFacts } from './facts.ts';
import { answer } from './judge-launcher.ts';

/** An older Landlock holds less, and the mounts hold the rest: only having none is missing. */
export const judgeLandlock = (facts: MachineFacts): Check => {
  const id = 'landlock';
  const title = 'Landlock';
  const abi = answer(facts, 'landlock_abi')?.value;
  if (abi === undefined) return untried(id, title);
  if (abi === 0)
    return missing(id, title, { detail: 'this kernel does not offer it', remedy: landlockRemedy(facts) });
  const gaps = landlockRequirement(abi, 'best_effort').missing;
  if (gaps.length === 0) return ok(id, title, `ABI ${abi}`);
  return optional(id, title, {
    detail: `ABI ${abi}. ${gaps.map(({ consequence }) => consequence).join(' ')}`,
    remedy: `Boot Linux ${gaps.at(-1)!.kernel} or later.`,
  });
};

const landlockRemedy = ({ securityModules }: MachineFacts): string => {
  if (securityModules?.includes('landlock')) {
    return 'It is in force, but refused to this process: allow the landlock_* system calls in the seccomp profile of the container.';
  }
  const list = ['landlock', ...(securityModules ?? [])].join(',');
  return `Add lsm=${list} to the kernel's parameters and boot again; if that does not help, the kernel was built without CONFIG_SECURITY_LANDLOCK.`;
};

/** Without the launcher, the kernel's own list of actions tells. */
export const judgeSeccomp = (facts: MachineFacts): Check => {
  const id = 'seccomp';
  const title = 'seccomp filters';
  const said = answer(facts, 'seccomp');
  const works = said === undefined ? listsAction(facts, 'errno') : said.value > 0;
  if (works === undefined) return untried(id, title);
  if (works) return ok(id, title, 'system calls can be filtered');
  return missing(id, title, {
    detail: said === undefined ? 'this kernel does not offer them' : errnoWords(said),
    remedy:
      'Boot a kernel that was built with CONFIG_SECCOMP_FILTER; in a container, allow the seccomp system call.',
  });
};

/** Asked for now, because runtimes to come may use it. */
export const judgeSeccompNotify = (facts: MachineFacts): Check => {
  const id = 'seccomp_notify';
  const title = 'seccomp notification';
  const said = answer(facts, 'seccomp_notify');
  const works = said === undefined ? listsAction(facts, 'user_notif') : said.value > 0;
  if (works === undefined) return untried(id, title);
  if (works) return ok(id, title, 'system calls can be decided by another process');
  return optional(id, title, {
    detail: `not offered${said === undefined ? '' : ` (${errnoWords(said)})`}; nothing uses it yet`,
    remedy: 'Boot Linux 5.0 or later.',
  });
};

/** The kernel's own list, for when the launcher cannot be asked. */
const listsAction = ({ sysctls }: MachineFacts, action: string): boolean | undefined =>
  sysctls.get('kernel.seccomp.actions_avail')?.split(' ').includes(action);
