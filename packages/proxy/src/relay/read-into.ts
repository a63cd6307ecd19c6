import { Socket } from 'node:net';
import { returnReadBuffer, takeReadBuffer } from '../destination/read-buffers.ts';
import type { ByteSink } from '../destination/upstream.ts';

interface Handle {
  useUserBuffer(buffer: Buffer): void;
}

/** Where `net.Socket` keeps its `onread` option. */
interface ReadingFields {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let known: ReadingFields | 'none' | undefined;

function readingFields(): ReadingFields | undefined {
  if (known === undefined) {
    const symbols = Object.getOwnPropertySymbols(new Socket());
    const named = (name: string): symbol | undefined =>
      symbols.find(({ description }) => description === name);
    const [buffer, callback] = [named('kBuffer'), named('kBufferCb')];
    known = buffer !== undefined && callback !== undefined ? { buffer, callback } : 'none';
  }
  return known === 'none' ? undefined : known;
}

/** A socket that is read into one buffer. */
export interface Reading {
  /** Gives the buffer back: to be called once this socket and the one that its bytes went to are closed. */
  release(): void;
  /** From now on the socket is a stream again: what is read comes as 'data'. */
  toStream(): void;
}

/**
 * From now on a paused socket is read into one buffer over and over, as the `onread` option of `net.connect` does it, and
 * `sink` gets what is read. Node.js has that option for sockets that it opens and not for those that it accepts, so it is
 * set here as Node.js would; where a release keeps it elsewhere, the socket is read as a stream, which costs a quarter
 * more processor time a read.
 */
export function readInto(socket: Socket, sink: ByteSink): Reading {
  const early = socket.read() as Buffer | null;
  const reading = readIntoBuffer(socket, sink) ?? readAsStream(socket, sink);
  if (early === null || sink(early)) socket.resume();
  return reading;
}

function readIntoBuffer(socket: Socket, sink: ByteSink): Reading | undefined {
  const fields = readingFields();
  const { _handle: handle } = socket as unknown as { readonly _handle?: Partial<Handle> | null };
  if (fields === undefined || handle?.useUserBuffer === undefined) return undefined;
  const buffer = takeReadBuffer('encrypted' in socket ? 'tls' : 'socket');
  const slots = socket as unknown as Record<symbol, unknown>;
  slots[fields.buffer] = buffer;
  slots[fields.callback] = (length: number): boolean => sink(buffer.subarray(0, length));
  handle.useUserBuffer(buffer);
  return {
    release: () => returnReadBuffer(buffer),
    toStream: () => {
      slots[fields.callback] = (length: number): boolean =>
        socket.push(Buffer.from(buffer.subarray(0, length)));
    },
  };
}

function readAsStream(socket: Socket, sink: ByteSink): Reading {
  const onData = (chunk: Buffer): void => {
    if (!sink(chunk)) socket.pause();
  };
  socket.on('data', onData);
  return { release: () => {}, toStream: () => void socket.off('data', onData) };
}
