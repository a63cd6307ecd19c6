import { Socket } from 'node:net';
import type { ByteSink } from '../destination/upstream.ts';

/** What one read can bring: as much as the kernel usually has. Memory that is never written to is never resident. */
const READ_BYTES = 65_536;

interface Handle {
  useUserBuffer(buffer: Buffer): void;
}

interface ReadingFields {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let known: ReadingFields | 'none' | undefined;

/** Where `net.Socket` keeps its `onread` option. */
function readingFields(): ReadingFields | undefined {
  if (known === undefined) {
    const symbols = Object.getOwnPropertySymbols(new Socket());
    const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
    const [buffer, callback] = [named('kBuffer'), named('kBufferCb')];
    known = buffer !== undefined && callback !== undefined ? { buffer, callback } : 'none';
  }
  return known === 'none' ? undefined : known;
}

/**
 * From now on a paused socket is read into one buffer over and over, as the `onread` option of `net.connect` does it, and
 * `sink` gets what is read. Node.js has that option for sockets that it opens and not for those that it accepts, so it is
 * set here as Node.js would; where a release keeps it elsewhere, the socket is read as a stream, which costs a quarter more
 * processor time a read. Begins to read.
 */
export function readInto(socket: Socket, sink: ByteSink): void {
  const fields = readingFields();
  const handle = (socket as unknown as { readonly _handle?: Partial<Handle> | null })._handle;
  const early = socket.read() as Buffer | null;
  if (fields !== undefined && handle?.useUserBuffer !== undefined) {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const slots = socket as unknown as Record<symbol, unknown>;
    slots[fields.buffer] = buffer;
    slots[fields.callback] = (length: number): boolean => sink(buffer.subarray(0, length));
    handle.useUserBuffer(buffer);
  } else {
    socket.on('data', (chunk: Buffer) => {
      if (!sink(chunk)) socket.pause();
    });
  }
  if (early === null || sink(early)) socket.resume();
}
