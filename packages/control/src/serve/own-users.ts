import { readFileSync } from 'node:fs';

/** What the kernel shows in the place of users that a user namespace does not know (/proc/sys/kernel/overflowuid). */
const OVERFLOW = 65_534;

/** The user that this process is. */
export const ownUid = (): number => process.geteuid?.() ?? -1;

/** Whether a number of a user stands for that user, and not for anybody at all whom the user namespace does not know. */
export function isCertain(uid: number): boolean {
  if (uid !== OVERFLOW) return true;
  try {
    // The initial namespace maps all of them: "0 0 4294967295".
    return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return false;
  }
}
