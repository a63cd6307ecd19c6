import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';

export type WholeBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'failed'; readonly reason: string };

const EMPTY: WholeBody = { kind: 'whole', bytes: Buffer.alloc(0) };

/** Reads a body into memory, up to a bound; of one that is longer, nothing more is read. Trailers are dropped. Never rejects. */
export function wholeBody(source: BodySource, maxBytes: number): WholeBody | Promise<WholeBody> {
  if (source.length === 0) return EMPTY;
  if (source.length !== undefined && source.length > maxBytes) return { kind: 'too_large' };
  const { promise, resolve } = Promise.withResolvers<WholeBody>();
  const chunks: Buffer[] = [];
  let size = 0;
  source.start({
    data(bytes) {
      size += bytes.length;
      if (size > maxBytes) {
        source.cancel();
        resolve({ kind: 'too_large' });
        return true;
      }
      chunks.push(bytes);
      return true;
    },
    end: () => resolve({ kind: 'whole', bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }),
    fail: (reason) => resolve({ kind: 'failed', reason }),
  });
  return promise;
}

/** A body that is already here. */
export class BytesBody implements BodySource {
  readonly length: number;
  readonly #bytes: Buffer;
  #receiver: BodyReceiver | undefined;
  #sent = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  start(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    if (this.#bytes.length === 0 || receiver.data(this.#bytes)) this.#end();
  }

  resume(): void {
    if (!this.#sent) this.#end();
  }

  cancel(): void {
    this.#sent = true;
  }

  #end(): void {
    this.#sent = true;
    this.#receiver?.end(NO_TRAILERS);
  }
}

const NO_TRAILERS: readonly HeaderField[] = [];
