import { GatheredBytes } from '../rpc/gathered-bytes.ts';
import type { UsageReader } from './usage.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Gives a stream of events on by whole events, their bytes as they are: what is cut off stops between two events, where an
 * error can be told as one of its own.
 */
export class EventRelay {
  readonly #usage: UsageReader;
  readonly #limit: number;
  readonly #held = new GatheredBytes();
  /** Nothing but line ends since the last line end. */
  #emptyLine = true;
  #afterCr = false;
  /** The last event has ended with a CR as the last byte that came. */
  #awaitsLf = false;
  /** The event was longer than can be held, and has gone in part. */
  #partial = false;

  constructor(usage: UsageReader, limit: number) {
    this.#usage = usage;
    this.#limit = limit;
  }

  /** The client has got part of an event. */
  get partial(): boolean {
    return this.#partial;
  }

  /** What may go on; empty when no event is complete. Its bytes may be those that came. */
  push(bytes: Buffer): Buffer {
    const ready: Buffer[] = [];
    let from = 0;
    if (this.#awaitsLf && bytes[0] === LF) {
      ready.push(bytes.subarray(0, 1));
      from = 1;
    }
    if (bytes.length > 0) this.#awaitsLf = false;
    for (let at = from; at < bytes.length; at++) {
      if (!this.#endsEvent(bytes[at]!)) continue;
      // To many readers CR LF is one end of a line, and an event is over with its last byte only.
      if (bytes[at] === CR && bytes[at + 1] === LF) at++;
      else this.#awaitsLf = bytes[at] === CR && at + 1 === bytes.length;
      ready.push(this.#complete(bytes.subarray(from, at + 1)));
      from = at + 1;
    }
    const rest = bytes.subarray(from);
    if (this.#partial || this.#held.length + rest.length > this.#limit) {
      ready.push(this.#taken(rest));
      this.#partial = ready.at(-1)!.length > 0 || this.#partial;
    } else if (rest.length > 0) this.#held.append(rest);
    return ready.length === 1 ? ready[0]! : Buffer.concat(ready);
  }

  /** What is held when nothing more comes: no event, as the standard says, but what the backend said. */
  end(): Buffer {
    return this.#held.take();
  }

  /** Whether an empty line ends with this byte. An LF behind a CR belongs to the same end. */
  #endsEvent(byte: number): boolean {
    const continues = byte === LF && this.#afterCr;
    this.#afterCr = byte === CR;
    if (continues) return false;
    if (byte !== LF && byte !== CR) {
      this.#emptyLine = false;
      return false;
    }
    const ends = this.#emptyLine;
    this.#emptyLine = true;
    if (ends) this.#afterCr = false;
    return ends;
  }

  #complete(bytes: Buffer): Buffer {
    const event = this.#taken(bytes);
    if (!this.#partial) this.#usage.takeEvent(event);
    this.#partial = false;
    return event;
  }

  #taken(bytes: Buffer): Buffer {
    return this.#held.length === 0 ? bytes : Buffer.concat([this.#held.take(), bytes]);
  }
}
