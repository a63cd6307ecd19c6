import { constants, inflateRawSync } from 'node:zlib';
import type { Limits } from '../limits.ts';
import type { ByteBudget } from '../tenant/byte-budget.ts';
import { CLOSE, type DataHeader, fault, type WebSocketFault } from './frame.ts';
import { applyMask } from './mask.ts';

export type AssemblyLimits = Pick<
  Limits,
  'webSocketTextBytes' | 'webSocketBinaryBytes' | 'webSocketFragments' | 'webSocketInflateRatio'
>;

export type AssembledMessage =
  | { readonly kind: 'message'; readonly type: 'text' | 'binary'; readonly payload: Buffer }
  | WebSocketFault;

/** A frame announces its length before it sends anything: more than this is only reserved for bytes that came. */
const FIRST_RESERVATION = 65_536;
/** A message that stays that small may grow as it likes: repetitive texts do, and it costs little. */
const FREE_INFLATION = 1_048_576;
/** RFC 7692 section 7.2.2. */
const DEFLATE_TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/**
 * One message, put together from its frames, unmasked and decompressed. Its size, the number of its frames, and its
 * growth by decompression are bounded, and its bytes are taken from a budget until `release`.
 */
export class MessageAssembly {
  readonly #limits: AssemblyLimits;
  readonly #budget: ByteBudget;
  readonly #type: 'text' | 'binary';
  readonly #compressed: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #size = 0;
  #fragments = 0;
  #reserved = 0;
  #mask: number | undefined;
  /** Bytes of the current frame that have come, and that have not. */
  #offset = 0;
  #left = 0;

  constructor(first: DataHeader, limits: AssemblyLimits, budget: ByteBudget) {
    this.#limits = limits;
    this.#budget = budget;
    this.#type = first.type;
    this.#compressed = first.compressed;
  }

  /** The next frame of the message begins. */
  begin(header: DataHeader): WebSocketFault | undefined {
    this.#fragments += 1;
    if (this.#fragments > this.#limits.webSocketFragments) {
      return fault(
        CLOSE.protocolError,
        `a message of more than ${this.#limits.webSocketFragments} fragments`,
      );
    }
    if (this.#size + header.length > this.#limit) return this.#tooBig();
    this.#mask = header.mask;
    this.#offset = 0;
    this.#left = header.length;
    return undefined;
  }

  /** The next bytes of that frame, which are copied. */
  add(bytes: Buffer): WebSocketFault | undefined {
    const end = this.#size + bytes.length;
    if (end > this.#bytes.length && !this.#grow(end)) return noCapacity();
    bytes.copy(this.#bytes, this.#size);
    if (this.#mask !== undefined) applyMask(this.#bytes.subarray(this.#size, end), this.#mask, this.#offset);
    this.#size = end;
    this.#offset += bytes.length;
    this.#left -= bytes.length;
    return undefined;
  }

  /** The message, after the last byte of its last frame. The payload is the caller's. */
  finish(): AssembledMessage {
    const payload = this.#bytes.subarray(0, this.#size);
    return this.#compressed ? this.#inflate(payload) : { kind: 'message', type: this.#type, payload };
  }

  /** Gives the bytes back to the budget. */
  release(): void {
    this.#budget.give(this.#reserved);
    this.#reserved = 0;
  }

  get #limit(): number {
    return this.#type === 'text' ? this.#limits.webSocketTextBytes : this.#limits.webSocketBinaryBytes;
  }

  /** Makes room up to `end` at least: for what is announced where that is little, else twice as much each time. */
  #grow(end: number): boolean {
    const announced = this.#size + this.#left;
    const capacity = Math.min(announced, Math.max(end, 2 * this.#bytes.length, FIRST_RESERVATION));
    if (!this.#reserve(capacity - this.#bytes.length)) return false;
    const larger = Buffer.allocUnsafe(capacity);
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
    return true;
  }

  #reserve(bytes: number): boolean {
    if (!this.#budget.take(bytes)) return false;
    this.#reserved += bytes;
    return true;
  }

  #inflate(compressed: Buffer): AssembledMessage {
    const grown = Math.max(FREE_INFLATION, this.#limits.webSocketInflateRatio * compressed.length);
    const maxOutputLength = Math.min(this.#limit, grown);
    let payload: Buffer;
    try {
      payload = inflateRawSync(Buffer.concat([compressed, DEFLATE_TAIL]), {
        maxOutputLength,
        finishFlush: constants.Z_SYNC_FLUSH,
      });
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code !== 'ERR_BUFFER_TOO_LARGE')
        return fault(CLOSE.notUtf8, 'a message that cannot be decompressed');
      if (maxOutputLength === this.#limit) return this.#tooBig();
      return fault(CLOSE.tooBig, 'a message that grows too much when it is decompressed');
    }
    return this.#reserve(payload.length) ? { kind: 'message', type: this.#type, payload } : noCapacity();
  }

  #tooBig(): WebSocketFault {
    return fault(CLOSE.tooBig, `a ${this.#type} message of more than ${this.#limit} bytes`);
  }
}

const noCapacity = (): WebSocketFault =>
  fault(CLOSE.tryLater, 'too many messages are being read at this moment');
