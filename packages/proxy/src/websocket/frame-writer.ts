import type { Duplex } from 'node:stream';
import {
  type ControlOpcode,
  closePayload,
  type DataHeader,
  encodeHeader,
  OPCODE,
  opcodeOf,
  type Side,
} from './frame.ts';
import { applyMask, freshMask } from './mask.ts';

/** Frames for one side. After a close frame, and when the side is gone, what is written is dropped. */
export class FrameWriter {
  readonly #socket: Duplex;
  readonly #masks: boolean;
  /** Bytes of the current frame that are still to be written. */
  #left = 0;
  #closed = false;

  constructor(socket: Duplex, to: Side) {
    this.#socket = socket;
    this.#masks = to === 'server';
  }

  /** What was written does not fit: wait for 'drain' of the socket. */
  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Part of a frame is written: no other can begin. */
  get withinFrame(): boolean {
    return this.#left > 0;
  }

  /** What is written in between goes out together. */
  together(write: () => void): void {
    this.#socket.cork();
    try {
      write();
    } finally {
      this.#socket.uncork();
    }
  }

  /** Begins a frame that passes unread: with the key that its sender chose, so its payload stays as it is. */
  header(header: DataHeader): void {
    this.#left = header.length;
    this.#write(
      encodeHeader(
        opcodeOf(header),
        header.fin,
        header.first && header.compressed,
        header.length,
        header.mask,
      ),
    );
  }

  payload(bytes: Buffer): void {
    this.#left -= bytes.length;
    this.#write(bytes);
  }

  /** One message in one frame, uncompressed. The payload is the writer's from now on. */
  message(type: 'text' | 'binary', payload: Buffer): void {
    this.#frame(type === 'text' ? OPCODE.text : OPCODE.binary, payload);
  }

  control(opcode: ControlOpcode, payload: Buffer): void {
    this.#frame(opcode, payload);
    if (opcode === OPCODE.close) this.#closed = true;
  }

  close(code: number, reason: string): void {
    this.control(OPCODE.close, closePayload(code, reason));
  }

  #frame(opcode: number, payload: Buffer): void {
    const mask = this.#masks ? freshMask() : undefined;
    this.#write(encodeHeader(opcode, true, false, payload.length, mask));
    if (mask !== undefined) applyMask(payload, mask);
    this.#write(payload);
  }

  #write(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#closed && this.#socket.writable) this.#socket.write(bytes);
  }
}
