import type { BodyReceiver, BodySource } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';
import type { Holding } from '../tenant/byte-budget.ts';

export type WholeBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  /** The sandbox holds as much already as it may. */
  | { readonly kind: 'no_memory' }
  | { readonly kind: 'failed'; readonly reason: string };

const NOTHING = Buffer.alloc(0);
const EMPTY: WholeBody = { kind: 'whole', bytes: NOTHING };

/**
 * Reads a body into memory, up to a bound; of one that is longer, nothing more is read. Trailers are dropped. Its bytes are added to
 * `held`, also where it does not become whole: who owns that releases it. Never rejects.
 */
export function wholeBody(
  source: BodySource,
  maxBytes: number,
  held: Holding,
): WholeBody | Promise<WholeBody> {
  if (source.length === 0) return EMPTY;
  if (source.length !== undefined && source.length > maxBytes) return { kind: 'too_large' };
  if (source.length !== undefined && !held.add(source.length)) return { kind: 'no_memory' };
  const { promise, resolve } = Promise.withResolvers<WholeBody>();
  const chunks: Buffer[] = [];
  let size = 0;
  source.start({
    data(bytes) {
      size += bytes.length;
      const tooLarge = size > maxBytes;
      if (tooLarge || (source.length === undefined && !held.add(bytes.length))) {
        source.cancel();
        resolve({ kind: tooLarge ? 'too_large' : 'no_memory' });
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
  #bytes: Buffer;
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
    this.#bytes = NOTHING;
    this.#receiver?.end(NO_TRAILERS);
  }
}

const NO_TRAILERS: readonly HeaderField[] = [];
