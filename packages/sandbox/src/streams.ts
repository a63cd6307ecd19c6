import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Lets go of the caller's standard input and output once the command has them: as long as we held a pipe too, its other end would
 * not learn that the command closed it. Terminals stay, the launcher relays them; so does what events are still written to.
 */
export const releaseStreams = (keepOutput: boolean): void => {
  for (const [fd, flags] of [
    [0, 'r'],
    [1, 'w'],
  ] as const) {
    if (isatty(fd) || (fd === 1 && keepOutput)) continue;
    closeSync(fd);
    // The lowest free number is the one that was just closed.
    openSync('/dev/null', flags);
  }
};
