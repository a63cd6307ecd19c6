import { readdirSync, readFileSync } from 'node:fs';

/** Undefined where a process is gone meanwhile, or somebody else's. */
export const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

export const processIds = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

export const parentOf = (pid: string): string =>
  attempt(() => /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) ?? '0';
