import { writeSync } from 'node:fs';

/** Whoever read our output has gone: there is nobody left to tell. */
export class BrokenPipe extends Error {}

/** As a shell reports a program that SIGPIPE ended (128 + 13), which is what happens to programs that do not ask. */
export const brokenPipeExit = 141;

/**
 * Writes all of a text to a descriptor before it returns, so that the program may exit right after. `process.stdout`
 * would cost several milliseconds to set up, and loses what is in its queue on exit.
 *
 * @throws BrokenPipe when the reader has closed its end.
 */
export const writeAll = (descriptor: number, text: string): void => {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new BrokenPipe();
      if (code !== 'EAGAIN') throw error;
      waitForReader();
    }
  }
};

/** Another process has made the pipe non-blocking, and it is full: there is no event to wait for in a synchronous write. */
const waitForReader = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
};
