import { closeSync, constants, openSync } from 'node:fs';
import type { DeviceFacts } from './facts.ts';

/** Opens a device for reading and writing, as whoever uses it must, and closes it. */
export const tryDevice = (path: string): DeviceFacts => {
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    return { kind: 'usable' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? { kind: 'denied' } : { kind: 'absent' };
  }
};
