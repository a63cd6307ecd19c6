import type { FinishedSpan, SpanSink } from '../span.ts';

/** Keeps what is over. */
export class KeptSpans implements SpanSink {
  readonly all: FinishedSpan[] = [];
  #more = Promise.withResolvers<void>();

  add(span: FinishedSpan): void {
    this.all.push(span);
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  /** When there are so many. */
  async atLeast(count: number): Promise<readonly FinishedSpan[]> {
    while (this.all.length < count) await this.#more.promise;
    return this.all;
  }
}
