import { readFileSync } from 'node:fs';

/** USER_HZ: the kernel counts in hundredths of a second on every architecture that we run on (proc_pid_stat(5)). */
const MS_PER_TICK = 10;
/** Positions in /proc/PID/stat behind the program's name: times of children that were waited for. */
const [CHILD_USER, CHILD_SYSTEM] = [13, 14];

/** Processor time of all children that have ended and everything below them, in milliseconds. */
export function endedChildrenTime(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[CHILD_USER]) + Number(fields[CHILD_SYSTEM])) * MS_PER_TICK;
}
