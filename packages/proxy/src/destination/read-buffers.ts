/** What one read can bring: as much as the kernel usually has. Memory that is never written to is never resident. */
const READ_BYTES = 65_536;
/** Kept for the next connections: 8 MiB at most. */
const MAX_SPARE = 128;

const spare: Buffer[] = [];

/** A buffer to read into. Making one for each connection would double what a short one costs, in garbage collection alone. */
export const takeReadBuffer = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);

/** Takes a buffer back that no read and no write under way refers to any more: both its sockets are closed. */
export const returnReadBuffer = (buffer: Buffer): void => {
  if (spare.length < MAX_SPARE) spare.push(buffer);
};
