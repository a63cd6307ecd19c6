import { globSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { attempt, parentOf, processIds } from './processes.ts';

/** Things of a machine that outlive the process that made them. Names for a person, one each. */
export interface MachineState {
  readonly launchers: ReadonlySet<string>;
  readonly marked: ReadonlySet<string>;
  readonly mounts: ReadonlySet<string>;
  readonly cgroups: ReadonlySet<string>;
}

export interface MachineQuestion {
  readonly launcher: string;
  /** Environment entry, `NAME=VALUE`, which only what this run started has. */
  readonly mark: string;
}

const title = (pid: string): string => {
  const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim());
  return `process ${pid} (${words || 'unnamed'})`;
};

/** Launchers (known by the file they run) that no supervisor holds any more. One that is held belongs to another run. */
const orphanedLaunchers = (pids: readonly string[], launcher: string): string[] => {
  const file = attempt(() => statSync(launcher));
  const isLauncher = (pid: string): boolean => {
    const exe = attempt(() => statSync(`/proc/${pid}/exe`));
    return exe !== undefined && file !== undefined && exe.ino === file.ino && exe.dev === file.dev;
  };
  const isSupervised = (pid: string): boolean => {
    const parent = parentOf(pid);
    if (isLauncher(parent)) return isSupervised(parent);
    return attempt(() => readlinkSync(`/proc/${parent}/exe`))?.endsWith('/node') ?? false;
  };
  return pids.filter((pid) => isLauncher(pid) && !isSupervised(pid)).map(title);
};

const markedProcesses = (pids: readonly string[], mark: string): string[] =>
  pids
    .filter((pid) => pid !== String(process.pid))
    .filter((pid) => attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)))
    .map(title);

/** Control groups of sandboxes with nothing in them. One with processes belongs to a sandbox that runs. */
const emptyCgroups = (): string[] =>
  globSync('/sys/fs/cgroup/**/openshell-*').filter(
    (path) => attempt(() => readFileSync(`${path}/cgroup.procs`, 'utf8').trim()) === '',
  );

export const machineState = ({ launcher, mark }: MachineQuestion): MachineState => {
  const pids = processIds();
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return {
    launchers: new Set(orphanedLaunchers(pids, launcher)),
    marked: new Set(markedProcesses(pids, mark)),
    mounts: new Set(mounts.filter((line) => line.includes('openshell')).map((line) => `mount ${line}`)),
    cgroups: new Set(emptyCgroups().map((path) => `control group ${path}`)),
  };
};

/** What is there now and was not there before. */
export const leftBehind = (before: MachineState, after: MachineState): string[] =>
  (['launchers', 'marked', 'mounts', 'cgroups'] as const).flatMap((kind) => [
    ...after[kind].difference(before[kind]),
  ]);
