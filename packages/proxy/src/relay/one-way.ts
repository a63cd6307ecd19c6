import type { Socket } from 'node:net';
import type { ByteSink } from '../destination/upstream.ts';

const NOTHING = Buffer.alloc(0);

/** One direction of a relay: hands on what one socket says to the other, and lets the first rest while the second is full. */
export class OneWay {
  readonly #from: Socket;
  readonly #to: Socket;
  #stalled = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
  }

  /**
   * The bytes may lie in a buffer that the next read overwrites. A write that the kernel took at once is done with them;
   * any other still needs them, so reading rests until it is done, which is the back-pressure as well. A write with
   * a callback costs a turn of the event loop's queue, so only the rare one that did not fit is followed by such a write.
   */
  readonly deliver: ByteSink = (bytes) => {
    this.#to.write(bytes);
    if (this.#to.writableLength === 0) return true;
    if (!this.#stalled) {
      this.#stalled = true;
      this.#to.write(NOTHING, this.#onWritten);
    }
    return false;
  };

  readonly #onWritten = (): void => {
    this.#stalled = false;
    this.#from.resume();
  };
}
