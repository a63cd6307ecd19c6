import { getSystemErrorMap } from 'node:util';
import type { ProbeAnswer } from './facts.ts';

/** An error number of the kernel in words: `EPERM: operation not permitted`. */
export const errnoWords = ({ errno }: ProbeAnswer): string => {
  const [name, message] = getSystemErrorMap().get(-errno) ?? [];
  if (name !== undefined) return `${name}: ${message}`;
  return errno === 0 ? 'no reason given' : `error ${errno}`;
};

/** Numbers that change the remedy; the same on x86-64 and arm64. */
export const errno = { perm: 1, access: 13, noSpace: 28, noSystemCall: 38, userLimit: 87 } as const;
