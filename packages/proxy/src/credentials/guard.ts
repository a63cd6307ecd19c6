import type { BodyReceiver } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';
import type { EncodedSearch, Ending, Hit } from './encoded.ts';
import { MARKERS } from './placeholder.ts';

/** What happens where a stream holds what is looked for. */
export type OnHit =
  /** The stream fails before the last byte of it is delivered; what is only a beginning is harmless, and a peer may wait for it. */
  { readonly kind: 'fail'; readonly reason: string } | { readonly kind: 'replace'; with(hit: Hit): string };

/**
 * Looks for needles in a stream of bytes, across the edges of its pieces. Where needles are replaced it keeps back what may be the
 * beginning of one, and nothing else, so that messages of a live stream are not delayed.
 */
export class StreamSearch {
  readonly #search: EncodedSearch;
  readonly #onHit: OnHit;
  /** The end of what came, which may go on as a needle; as latin1. Delivered already where a needle makes the stream fail. */
  #held = '';

  constructor(search: EncodedSearch, onHit: OnHit) {
    this.#search = search;
    this.#onHit = onHit;
  }

  /** What may be delivered now, possibly empty; undefined when the stream has to fail. The result may share memory with `bytes`. */
  push(bytes: Buffer): Buffer | undefined {
    const text = this.#held + bytes.toString('latin1');
    const { done, rest } = this.#run(text, 'open');
    if (done === undefined) return undefined;
    // Nothing was held or replaced: the bytes themselves are what came out.
    const same = this.#held === '' && text.startsWith(done);
    this.#held = rest;
    if (this.#onHit.kind === 'fail') return bytes;
    return same ? bytes.subarray(0, done.length) : Buffer.from(done, 'latin1');
  }

  /** What was kept back, once nothing follows. */
  end(): Buffer | undefined {
    const { done } = this.#run(this.#held, 'final');
    this.#held = '';
    if (done === undefined) return undefined;
    return this.#onHit.kind === 'fail' ? Buffer.alloc(0) : Buffer.from(done, 'latin1');
  }

  #run(text: string, ending: Ending): { done: string | undefined; rest: string } {
    const onHit = this.#onHit;
    const { hits, clear } = this.#search.scan(text, ending, onHit.kind === 'fail' ? 1 : undefined);
    if (hits.length > 0 && onHit.kind === 'fail') return { done: undefined, rest: '' };
    let done = '';
    let from = 0;
    for (const hit of hits) {
      done += text.slice(from, hit.start) + (onHit.kind === 'replace' ? onHit.with(hit) : '');
      from = hit.end;
    }
    return { done: done + text.slice(from, clear), rest: text.slice(clear) };
  }
}

/**
 * A receiver behind a search. What is kept back is delivered right before the end, also where the receiver has just said that it is full.
 */
export function searched(
  receiver: BodyReceiver,
  search: EncodedSearch,
  onHit: OnHit,
  trailers: (fields: readonly HeaderField[]) => readonly HeaderField[] | undefined,
): BodyReceiver {
  const stream = new StreamSearch(search, onHit);
  let failed = false;
  const fail = (): false => {
    failed = true;
    receiver.fail(onHit.kind === 'fail' ? onHit.reason : 'the trailers cannot be delivered');
    return false;
  };
  return {
    data(bytes) {
      if (failed) return false;
      const clear = stream.push(bytes);
      if (clear === undefined) return fail();
      return clear.length === 0 ? true : receiver.data(clear);
    },
    end(fields) {
      if (failed) return;
      const rest = stream.end();
      const kept = trailers(fields);
      if (rest === undefined || kept === undefined) {
        fail();
        return;
      }
      if (rest.length > 0) receiver.data(rest);
      receiver.end(kept);
    },
    fail(reason) {
      if (!failed) receiver.fail(reason);
    },
  };
}

const MARKER_IN_BODY =
  'the body holds a credential placeholder, which this endpoint does not put values into (request_body_credential_rewrite)';

/** Lets a request body through as long as no placeholder is in it. */
export const guarded = (receiver: BodyReceiver): BodyReceiver =>
  searched(receiver, MARKERS, { kind: 'fail', reason: MARKER_IN_BODY }, (trailers) =>
    trailers.some(({ name, value }) => MARKERS.test(name) || MARKERS.test(value)) ? undefined : trailers,
  );

/** The same for other streams, such as the binary messages of a WebSocket: push answers undefined where it has to end. */
export const markerGuard = (): StreamSearch =>
  new StreamSearch(MARKERS, { kind: 'fail', reason: MARKER_IN_BODY });
