import type { BodyReceiver, BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';

/** Moves a body from where it comes to where it goes; a full sink makes the source wait. */
export class Pump implements BodyReceiver {
  /** Content that has passed, in bytes. */
  bytes = 0;
  readonly #onEnd: (failure: string | undefined) => void;
  #sink: BodySink | undefined;

  /** `onEnd` is called once, with the reason where the body broke off. */
  constructor(onEnd: (failure: string | undefined) => void) {
    this.#onEnd = onEnd;
  }

  /** Begins. The source delivers to `receiver`, which hands on to this pump. */
  run(source: BodySource, sink: BodySink, receiver: BodyReceiver = this): void {
    this.#sink = sink;
    sink.onDrain = () => source.resume();
    source.start(receiver);
  }

  get transient(): boolean {
    return this.#sink?.transient === true;
  }

  data(bytes: Buffer): boolean {
    this.bytes += bytes.length;
    return this.#sink!.write(bytes);
  }

  end(trailers: readonly HeaderField[]): void {
    this.#sink!.end(trailers);
    this.#onEnd(undefined);
  }

  fail(reason: string): void {
    // First, so that what the sink's peer says to being given up is not taken for the reason.
    this.#onEnd(reason);
    this.#sink!.abort(reason);
  }
}
