import { newSpanId, type TraceParent } from './trace-context.ts';

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** `server`: work for a client. `client`: waiting for another server. */
export type SpanKind = 'server' | 'client';

/** A piece of work that is over, as it is exported. */
export interface FinishedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent: it began the trace. */
  readonly parentId: string | undefined;
  /** The parent is somebody else's. */
  readonly remoteParent: boolean;
  readonly flags: number;
  readonly state: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly attributes: Attributes;
  /** A stable code: it failed. */
  readonly error: string | undefined;
}

/** Takes what is over. Must not throw and must not wait, as sinks of events do not. */
export interface SpanSink {
  add(span: FinishedSpan): void;
}

/** Where a span stands. */
export interface Place {
  readonly traceId: string;
  readonly flags: number;
  readonly state: string | undefined;
  readonly parentId: string | undefined;
  readonly remoteParent: boolean;
}

export const under = ({ traceId, flags, state, spanId }: TraceParent, remoteParent: boolean): Place => ({
  traceId,
  flags,
  state,
  parentId: spanId,
  remoteParent,
});

/** A piece of work under way. */
export class Span {
  readonly id: string;
  readonly #startedAt = wallClock();
  readonly #began = performance.now();
  #place: Place;
  #attributes: Attributes = {};

  constructor(place: Place, id: string = newSpanId()) {
    this.#place = place;
    this.id = id;
  }

  /** What the spans below it continue. */
  get context(): TraceParent {
    const { traceId, flags, state } = this.#place;
    return { traceId, spanId: this.id, flags, state };
  }

  /** Only while there is nothing below it. */
  moveTo(place: Place): void {
    this.#place = place;
  }

  set(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  finish(name: string, kind: SpanKind, error?: string): FinishedSpan {
    return {
      ...this.#place,
      spanId: this.id,
      name,
      kind,
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#began,
      attributes: this.#attributes,
      error,
    };
  }
}

const TOLERATED_DRIFT_MS = 50;
let offset = Date.now() - performance.now();

/** The time of day to the fraction of a millisecond, so that spans nest; it follows when the clock is set. */
function wallClock(): number {
  const monotonic = performance.now();
  const now = Date.now();
  if (Math.abs(monotonic + offset - now) > TOLERATED_DRIFT_MS) offset = now - monotonic;
  return monotonic + offset;
}
