import { type Check, missing, ok, optional, untried } from './check.ts';
import type { MachineFacts, ProbeAnswer } from './facts.ts';

/** The first Linux with Landlock, and so the first that a sandbox can be enforced on. */
const oldestKernel = [5, 13] as const;

/** Linux, new enough, on a processor that the launcher is written for. */
export const judgePlatform = ({ platform, architecture, kernelRelease }: MachineFacts): Check => {
  const id = 'platform';
  const title = 'System';
  const detail = `${platform} ${kernelRelease} on ${architecture}`;
  if (platform !== 'linux') {
    return missing(id, title, {
      detail,
      remedy: 'Run OpenShell on Linux: in a virtual machine, or on a remote one.',
    });
  }
  if (architecture !== 'x64' && architecture !== 'arm64') {
    return missing(id, title, { detail, remedy: 'Run OpenShell on x86-64 or arm64.' });
  }
  return isOlder(kernelRelease)
    ? missing(id, title, { detail, remedy: `Boot Linux ${oldestKernel.join('.')} or later.` })
    : ok(id, title, detail);
};

const isOlder = (release: string): boolean => {
  const [major = 0, minor = 0] = release.split('.', 2).map((part) => Number.parseInt(part, 10));
  return major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]);
};

/** The one native program: nothing starts without it. */
export const judgeLauncher = ({ launcher }: MachineFacts): Check => {
  const id = 'launcher';
  const title = 'Launcher';
  switch (launcher.kind) {
    case 'absent':
      return missing(id, title, {
        detail: 'it is not built',
        remedy: 'Run: npm ci (it builds the launcher, and needs a C compiler for that)',
      });
    case 'failed':
      return missing(id, title, {
        detail: `${launcher.path} does not work here: ${launcher.reason}`,
        remedy: 'Build it again on this machine: npm ci',
      });
    case 'answered':
      return ok(id, title, launcher.path);
    default:
      return launcher satisfies never;
  }
};

/** Needed only to build the launcher. */
export const judgeCompiler = ({ programs, launcher }: MachineFacts): Check => {
  const id = 'compiler';
  const title = 'C compiler';
  const found = programs.get('cc') ?? programs.get('gcc') ?? programs.get('clang');
  if (found !== undefined) return ok(id, title, found.path);
  const remedy = 'Run: apt-get install --no-install-recommends gcc libc6-dev';
  return launcher.kind === 'answered'
    ? optional(id, title, { detail: 'none; the launcher is built already', remedy })
    : missing(id, title, { detail: 'none to build the launcher with', remedy });
};

/** What the launcher said about one thing; undefined where it said nothing, or is not there. */
export const answer = ({ launcher }: MachineFacts, key: string): ProbeAnswer | undefined =>
  launcher.kind === 'answered' ? launcher.answers.get(key) : undefined;

/** A yes-or-no answer of the launcher, made into a check. */
export interface ProbedCheck {
  readonly id: string;
  readonly title: string;
  readonly key: string;
  readonly works: string;
  /** What follows from a no. */
  no(error: ProbeAnswer): Check;
}

/** Makes a check of a yes or no, or of no answer at all. */
export const judgeProbed = (facts: MachineFacts, { id, title, key, works, no }: ProbedCheck): Check => {
  const said = answer(facts, key);
  if (said === undefined) return untried(id, title);
  return said.value > 0 ? ok(id, title, works) : no(said);
};
