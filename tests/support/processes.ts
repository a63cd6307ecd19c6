import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until.ts';

/** One process, told apart from a later one with the same number by its start. */
export interface ProcessFact {
  readonly pid: number;
  readonly parent: number;
  /** As the kernel shows it in /proc/PID/comm. */
  readonly name: string;
  readonly state: string;
  /** In clock ticks since the machine started (proc_pid_stat(5), field 22). */
  readonly started: string;
}

export const readProcess = (pid: number): ProcessFact | undefined => {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // it ended
  }
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  return {
    pid,
    name: text.slice(open + 1, close),
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    started: fields[19] ?? '',
  };
};

const allProcesses = (): ProcessFact[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);

/** Children of a process, their children, and so on; parents first. */
export const descendants = (pid: number): ProcessFact[] => {
  const all = allProcesses();
  const found: ProcessFact[] = [];
  const parents = [pid];
  for (let parent = parents.shift(); parent !== undefined; parent = parents.shift()) {
    const children = all.filter((process) => process.parent === parent);
    found.push(...children);
    parents.push(...children.map((child) => child.pid));
  }
  return found;
};

/** Whether it still runs. A zombie that nobody has waited for runs no more. */
export const isAlive = ({ pid, started }: ProcessFact): boolean => {
  const now = readProcess(pid);
  return now !== undefined && now.started === started && now.state !== 'Z' && now.state !== 'X';
};

/** The processes of one `openshell run`: the supervisor's launcher, the sandbox's init, and what runs in it. */
export interface SandboxProcesses {
  readonly launcher: ProcessFact;
  readonly init: ProcessFact;
  readonly all: readonly ProcessFact[];
}

/** Waits until the sandbox of this supervisor has its init and at least one process in it. */
export const sandboxProcesses = (supervisor: number): Promise<SandboxProcesses> =>
  until(`a sandbox below process ${supervisor}`, () => {
    const all = descendants(supervisor);
    const launcher = all.find(({ parent }) => parent === supervisor);
    const init = all.find(({ parent }) => parent === launcher?.pid);
    const inside = all.some(({ parent }) => parent === init?.pid);
    return launcher && init && inside ? { launcher, init, all } : undefined;
  });

/** Waits until none of them runs. */
export const allGone = (processes: readonly ProcessFact[]): Promise<boolean> =>
  until(
    `the end of ${processes.map(({ pid, name }) => `${name}[${pid}]`).join(', ')}`,
    () => !processes.some(isAlive),
  );
