import { isUtf8 } from 'node:buffer';
import {
  CLOSE,
  CONTROL_PAYLOAD_BYTES,
  type ControlOpcode,
  type DataHeader,
  fault,
  isCloseCode,
  OPCODE,
  type Side,
  type WebSocketFault,
} from './frame.ts';
import { applyMask } from './mask.ts';

export type FrameEvent =
  | { readonly kind: 'header'; readonly header: DataHeader }
  /** The next bytes of that frame, still masked. `last`: the frame ends with them. */
  | { readonly kind: 'payload'; readonly bytes: Buffer; readonly last: boolean }
  /** A whole control frame, unmasked. */
  | { readonly kind: 'control'; readonly opcode: ControlOpcode; readonly payload: Buffer }
  | WebSocketFault;

const NOTHING = Buffer.alloc(0);
/** Two bytes, a length of eight, a key of four. */
const LONGEST_HEADER = 14;

const wrong = (detail: string): WebSocketFault => fault(CLOSE.protocolError, detail);

/** What the first two bytes of a frame say. */
interface Beginning {
  readonly fin: boolean;
  readonly compressed: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  /** As coded: 126 and 127 announce a longer form. */
  readonly shortLength: number;
  /** Length of the whole header, in bytes. */
  readonly size: number;
}

/** A control frame of which the payload is coming in. */
interface PendingControl {
  readonly opcode: ControlOpcode;
  readonly mask: number | undefined;
  readonly payload: Buffer;
  filled: number;
}

/**
 * Reads the frames of one side as their bytes come in, and refuses whatever RFC 6455 does not allow (sections 5.2 to 5.5):
 * reserved bits and opcodes, a missing or forbidden mask, a length not in its shortest form, broken fragmentation,
 * fragmented or long control frames, illegal close codes. Header bytes are judged one after the other, so how they
 * were split cannot change the outcome. Asked for one event at a time, because whoever reads may have to wait in between.
 */
export class FrameReader {
  readonly #masked: boolean;
  readonly #deflate: boolean;
  #chunk: Buffer = NOTHING;
  #at = 0;
  readonly #head = Buffer.alloc(LONGEST_HEADER);
  #headLength = 0;
  #beginning: Beginning | undefined;
  /** Bytes of the current data frame that have not come yet. */
  #left: number | undefined;
  #control: PendingControl | undefined;
  /** The message of which more frames are to come. */
  #message: { readonly type: 'text' | 'binary'; readonly compressed: boolean } | undefined;

  constructor(from: Side, deflate: boolean) {
    this.#masked = from === 'client';
    this.#deflate = deflate;
  }

  /** To be called when `next` has nothing left. The bytes must stay as they are until then. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Undefined: more bytes are needed. After a fault the reader is done. */
  next(): FrameEvent | undefined {
    if (this.#left !== undefined) return this.#payload(this.#left);
    if (this.#control !== undefined) return this.#controlPayload(this.#control);
    while (this.#at < this.#chunk.length) {
      this.#head[this.#headLength++] = this.#chunk[this.#at++]!;
      const problem = this.#headByte();
      if (problem !== undefined) return wrong(problem);
      if (this.#headLength === this.#beginning?.size) return this.#begin(this.#beginning);
    }
    return undefined;
  }

  /** Judges the header as soon as a byte of it says something. */
  #headByte(): string | undefined {
    if (this.#headLength === 1) return this.#firstByte(this.#head[0]!);
    if (this.#headLength === 2) return this.#secondByte(this.#head[0]!, this.#head[1]!);
    const shortLength = this.#beginning!.shortLength;
    if (shortLength === 126 && this.#headLength === 4 && this.#head.readUInt16BE(2) < 126) {
      return 'a length that is not in its shortest form';
    }
    if (shortLength !== 127) return undefined;
    if (this.#headLength === 3 && this.#head[2]! >= 0x80) return 'a length with its highest bit set';
    if (this.#headLength === 10 && this.#longLength() < 65_536)
      return 'a length that is not in its shortest form';
    return undefined;
  }

  #firstByte(byte: number): string | undefined {
    const opcode = byte & 15;
    const fin = byte >= 0x80;
    if ((byte & 0x30) !== 0) return 'a reserved bit is set';
    const compressed = (byte & 0x40) !== 0;
    switch (opcode) {
      case OPCODE.text:
      case OPCODE.binary:
        if (this.#message !== undefined) return 'a message begins before the last one has ended';
        return compressed && !this.#deflate ? 'compressed without permessage-deflate' : undefined;
      case OPCODE.continuation:
        if (this.#message === undefined) return 'a continuation of no message';
        return compressed ? 'a reserved bit is set' : undefined;
      case OPCODE.close:
      case OPCODE.ping:
      case OPCODE.pong:
        if (!fin) return 'a fragmented control frame';
        return compressed ? 'a compressed control frame' : undefined;
      default:
        return 'a reserved opcode';
    }
  }

  #secondByte(first: number, byte: number): string | undefined {
    const opcode = first & 15;
    const masked = byte >= 0x80;
    const shortLength = byte & 127;
    if (masked !== this.#masked)
      return masked ? 'a masked frame of a server' : 'an unmasked frame of a client';
    if (opcode >= OPCODE.close && shortLength > CONTROL_PAYLOAD_BYTES) return 'a long control frame';
    if (opcode === OPCODE.close && shortLength === 1) return 'a close frame with half a code';
    const lengthBytes = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0;
    this.#beginning = {
      fin: first >= 0x80,
      compressed: (first & 0x40) !== 0,
      opcode,
      masked,
      shortLength,
      size: 2 + lengthBytes + (masked ? 4 : 0),
    };
    return undefined;
  }

  #longLength(): number {
    return this.#head.readUInt32BE(2) * 2 ** 32 + this.#head.readUInt32BE(6);
  }

  #begin(beginning: Beginning): FrameEvent | undefined {
    const { fin, opcode, shortLength, size } = beginning;
    const mask = beginning.masked ? this.#head.readUInt32BE(size - 4) : undefined;
    this.#headLength = 0;
    this.#beginning = undefined;
    if (opcode === OPCODE.close || opcode === OPCODE.ping || opcode === OPCODE.pong) {
      this.#control = { opcode, mask, payload: Buffer.alloc(shortLength), filled: 0 };
      return this.#controlPayload(this.#control);
    }
    const length =
      shortLength < 126 ? shortLength : shortLength === 126 ? this.#head.readUInt16BE(2) : this.#longLength();
    if (!Number.isSafeInteger(length))
      return fault(CLOSE.tooBig, 'a frame of more bytes than can be counted');
    const message = this.#message ?? {
      type: opcode === OPCODE.text ? 'text' : 'binary',
      compressed: beginning.compressed,
    };
    this.#message = fin ? undefined : message;
    this.#left = length;
    return {
      kind: 'header',
      header: { ...message, first: opcode !== OPCODE.continuation, fin, length, mask },
    };
  }

  #payload(left: number): FrameEvent | undefined {
    const available = this.#chunk.length - this.#at;
    if (available === 0 && left > 0) return undefined;
    const taken = Math.min(left, available);
    const bytes = this.#chunk.subarray(this.#at, this.#at + taken);
    this.#at += taken;
    const last = taken === left;
    this.#left = last ? undefined : left - taken;
    return { kind: 'payload', bytes, last };
  }

  #controlPayload(control: PendingControl): FrameEvent | undefined {
    const { opcode, mask, payload } = control;
    const copied = this.#chunk.copy(payload, control.filled, this.#at);
    this.#at += copied;
    control.filled += copied;
    if (control.filled < payload.length) return undefined;
    if (mask !== undefined) applyMask(payload, mask);
    this.#control = undefined;
    const problem = opcode === OPCODE.close ? closeProblem(payload) : undefined;
    return problem ?? { kind: 'control', opcode, payload };
  }
}

/** RFC 6455 section 5.5.1: nothing, or a code and a reason in UTF-8. */
function closeProblem(payload: Buffer): WebSocketFault | undefined {
  if (payload.length === 0) return undefined;
  if (!isCloseCode(payload.readUInt16BE(0))) return wrong('a close frame with an illegal code');
  return isUtf8(payload.subarray(2)) ? undefined : fault(CLOSE.notUtf8, 'a close reason that is not UTF-8');
}
