/** What one read can bring: as much as the kernel usually has. Memory that is never written to is never resident. */
const READ_BYTES = 65_536;
/** RFC 8446 section 5.1: a TLS record has no more, and Node.js hands on record by record. */
const RECORD_BYTES = 16_384;
/** Kept for the next connections: 8 MiB and 2 MiB at most. */
const MAX_SPARE = 128;

const spare: Record<number, Buffer[]> = { [READ_BYTES]: [], [RECORD_BYTES]: [] };

/** A buffer to read into. Making one for each connection would double what a short one costs, in garbage collection alone. */
export function takeReadBuffer(of: 'socket' | 'tls' = 'socket'): Buffer {
  const size = of === 'tls' ? RECORD_BYTES : READ_BYTES;
  return spare[size]!.pop() ?? Buffer.allocUnsafeSlow(size);
}

/** Takes a buffer back that no read and no write under way refers to any more: both its sockets are closed. */
export function returnReadBuffer(buffer: Buffer): void {
  const kept = spare[buffer.length];
  if (kept !== undefined && kept.length < MAX_SPARE) kept.push(buffer);
}
