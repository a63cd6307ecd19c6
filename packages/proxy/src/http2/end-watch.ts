import type { Http2Stream } from 'node:http2';

export interface EndWatchOptions {
  readonly stream: Http2Stream;
  /** The end has been seen already. */
  readonly complete: boolean;
  /**
   * Whether a reset with NO_ERROR is an end. Of an origin it says that the response is complete and the rest of the request is not
   * wanted (RFC 9113 section 8.1); servers made of Node.js send it in place of the end where the window is full. Of a client it is none.
   */
  readonly resetEnds: boolean;
}

/**
 * Tells whether the peer has ended its side of a stream. 'end' does not: Node.js ends the readable side of a stream also when the
 * stream or the connection is closed for other reasons, and what was cut off would look complete.
 */
export class EndWatch {
  #complete: boolean;

  constructor({ stream, complete, resetEnds }: EndWatchOptions) {
    this.#complete = complete;
    if (complete) return;
    const push = stream.push;
    // An open stream Node.js ends for END_STREAM alone; a closed one once more, and as not yet destroyed only for a frame of the peer.
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.destroyed)
        this.#complete ||= !stream.closed || (resetEnds && stream.rstCode === 0);
      return push.call(stream, chunk, encoding);
    };
  }

  get complete(): boolean {
    return this.#complete;
  }
}
