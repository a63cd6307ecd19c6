import type { SpanSink } from './span.ts';

/**
 * What upstreams are told of a trace. `off`: nothing by the proxy; what a client says of one goes by as any other field. `forward`: a
 * trace that a client has begun goes on with the proxy's own span. `add`: and where it has begun none, the proxy begins it.
 */
export type TraceHeader = 'off' | 'forward' | 'add';

export const TRACE_HEADERS: readonly TraceHeader[] = ['off', 'forward', 'add'];

/** What an operator wants of traces; for all sandboxes of a proxy. */
export interface TracingOptions {
  readonly header: TraceHeader;
  /** Where spans go; nowhere, when absent. */
  readonly spans?: SpanSink | undefined;
}
