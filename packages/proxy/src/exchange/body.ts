import type { HeaderField } from '../http/request-head.ts';

/** Takes a body as it comes in. Exactly one of `end` and `fail` is the last call. */
export interface BodyReceiver {
  /** It needs the bytes only until `data` returns: a source may overwrite them then, which saves a copy. */
  readonly transient?: boolean | undefined;
  /**
   * The bytes are never overwritten: they may be kept, and are not to be changed. After false no more of them come until the
   * source is resumed; `end` may.
   */
  data(bytes: Buffer): boolean;
  end(trailers: readonly HeaderField[]): void;
  /** The body will never be complete. */
  fail(reason: string): void;
}

/** A body that somebody sends. */
export interface BodySource {
  /** Exact, in bytes; undefined where only its end tells. */
  readonly length: number | undefined;
  /** Begins to deliver, also within this very call. Called once. */
  start(receiver: BodyReceiver): void;
  /** Goes on after a false of the receiver. */
  resume(): void;
  /** Nobody wants the rest; no call follows. */
  cancel(): void;
}

/** Where a body is written. */
export interface BodySink {
  /** It needs the bytes only until `write` returns. */
  readonly transient?: boolean | undefined;
  /** The bytes must not be changed afterwards. False: full, wait for `onDrain`; what is written nevertheless is kept. */
  write(bytes: Buffer): boolean;
  /** Trailers go where the protocol has them and the peer may get them; elsewhere they are dropped. */
  end(trailers: readonly HeaderField[]): void;
  /** The body will never be complete: the peer must be able to tell. */
  abort(reason: string): void;
  /** Set by the writer. Called each time after `write` was false and there is room again. */
  onDrain: () => void;
}

/** How the length of a body is told to the peer. */
export type BodyLength =
  /** No body at all. `declared`: what a Content-Length would be, as the answer to a HEAD may say. */
  | { readonly kind: 'none'; readonly declared?: number }
  | { readonly kind: 'length'; readonly length: number }
  /** Chunked in HTTP/1.1, until the stream's end in HTTP/2. */
  | { readonly kind: 'stream' };
