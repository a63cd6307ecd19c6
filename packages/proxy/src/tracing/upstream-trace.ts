import type { Peer } from '../exchange/peer.ts';
import { type Attributes, Span, type SpanSink, under } from './span.ts';
import type { TraceParent } from './trace-context.ts';

export interface UpstreamTraceOptions {
  readonly name: string;
  readonly parent: TraceParent;
  readonly spans: SpanSink;
  readonly attributes: Attributes;
  /** The id that the upstream was told. */
  readonly spanId?: string | undefined;
}

/** One attempt to get something from an upstream: a connection, or the answer to a request. */
export class UpstreamTrace {
  readonly #name: string;
  readonly #spans: SpanSink;
  readonly #span: Span;
  #over = false;

  constructor({ name, parent, spans, attributes, spanId }: UpstreamTraceOptions) {
    this.#name = name;
    this.#spans = spans;
    this.#span = new Span(under(parent, false), spanId);
    this.#span.set(attributes);
  }

  /** Whom it is connected with. */
  connected(peer: Peer | undefined): void {
    if (peer === undefined) return;
    this.#span.set({ 'network.peer.address': peer.address, 'network.peer.port': peer.port });
  }

  /** It is sent once more, on another connection. */
  again(): void {
    this.#span.set({ 'http.request.resend_count': 1 });
  }

  answered(status: number): void {
    this.#span.set({ 'http.response.status_code': status });
  }

  /** It is over; with a code, it failed. The first end counts. */
  end(error?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#spans.add(this.#span.finish(this.#name, 'client', error));
  }
}
