import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import { type BodyDecoder, type BodyLimits, bodyDecoder } from '../http/body-decoder.ts';
import type { ResponseFraming } from '../http/framing.ts';
import type { HeaderField } from '../http/request-head.ts';

const NO_TRAILERS: readonly HeaderField[] = [];

/** Reads to the end and keeps nothing. */
const DISCARD: BodyReceiver = { data: () => true, end() {}, fail() {} };

/** The body of the message that a connection is reading: bytes with their framing go in, content comes out. */
export class IncomingBody implements BodySource {
  readonly length: number | undefined;
  readonly #decoder: BodyDecoder;
  readonly #untilClose: boolean;
  readonly #wake: () => void;
  #receiver: BodyReceiver | undefined;
  #stalled = false;
  /** How it ended without its decoder: properly, or for a reason. */
  #cut: { readonly reason: string | undefined } | undefined;

  /** `wake` makes the connection offer its bytes again. */
  constructor(framing: ResponseFraming, limits: BodyLimits, wake: () => void) {
    const { kind } = framing;
    this.length = kind === 'none' ? 0 : kind === 'length' ? framing.length : undefined;
    this.#untilClose = kind === 'until-close';
    this.#decoder = bodyDecoder(framing, limits);
    this.#wake = wake;
  }

  /** Read to its end, or never to be. */
  get done(): boolean {
    return this.#decoder.done || this.#cut !== undefined;
  }

  /** Its receiver is full. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Its framing was read to the end, so what follows is another message. */
  get complete(): boolean {
    return this.#decoder.done;
  }

  get started(): boolean {
    return this.#receiver !== undefined;
  }

  start(receiver: BodyReceiver): void {
    this.#receiver = receiver.transient === true ? receiver : new Owning(receiver);
    if (this.#decoder.done) receiver.end(NO_TRAILERS);
    else if (this.#cut !== undefined) this.#tellCut();
    else this.#wake();
  }

  resume(): void {
    this.#stalled = false;
    this.#wake();
  }

  cancel(): void {
    if (this.done) return;
    this.#stalled = false;
    this.#receiver = DISCARD;
    this.#wake();
  }

  /** Takes bytes and answers how far it came: not at all before it was started. Throws `Malformed`. */
  push(bytes: Buffer, at: number): number {
    if (this.#receiver === undefined || this.#stalled) return at;
    const receiver = this.#receiver;
    const next = this.#decoder.push(bytes, at, receiver);
    // Interest may have been lost while the bytes were delivered.
    this.#stalled = this.#decoder.stalled && !this.done && this.#receiver === receiver;
    return next;
  }

  /** Nothing more will come: the proper end of a body that only the connection's end ends, the failure of every other. */
  endOfInput(reason: string): void {
    if (!this.done) this.#end(this.#untilClose ? undefined : reason);
  }

  fail(reason: string): void {
    if (!this.done) this.#end(reason);
  }

  #end(reason: string | undefined): void {
    this.#cut = { reason };
    if (this.#receiver !== undefined) this.#tellCut();
  }

  #tellCut(): void {
    const { reason } = this.#cut!;
    if (reason === undefined) this.#receiver!.end(NO_TRAILERS);
    else this.#receiver!.fail(reason);
  }
}

/** Gives a receiver bytes that are its own: those of the connection are overwritten by its next read. */
class Owning implements BodyReceiver {
  readonly #receiver: BodyReceiver;

  constructor(receiver: BodyReceiver) {
    this.#receiver = receiver;
  }

  data(bytes: Buffer): boolean {
    return this.#receiver.data(Buffer.from(bytes));
  }

  end(trailers: readonly HeaderField[]): void {
    this.#receiver.end(trailers);
  }

  fail(reason: string): void {
    this.#receiver.fail(reason);
  }
}
