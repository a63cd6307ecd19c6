import type { Authority } from '../http/authority.ts';
import type { HeaderField } from '../http/request-head.ts';
import type { TracingOptions } from './options.ts';
import { RequestTrace } from './request-trace.ts';
import { type Attributes, Span, under } from './span.ts';
import { newTraceId, SAMPLED, traceParentOf } from './trace-context.ts';
import { UpstreamTrace } from './upstream-trace.ts';

/** What an operator wants of a connection's trace, and its span. */
interface Recording {
  readonly tracing: TracingOptions;
  readonly span: Span;
}

/**
 * Where one connection of a sandbox stands in traces. It has one trace id, which is in every event about it; requests inside it have the
 * same unless they bring one of their own. Where nobody has asked for spans it is not more than that id.
 */
export class ConnectionTrace {
  #id: string | undefined;
  #recording: Recording | undefined;
  /** The client has said which trace it is part of. */
  #continued = false;
  #error: string | undefined;

  /** From now on its requests have traces of their own, and it has a span. */
  begin(tracing: TracingOptions, attributes: Attributes): void {
    const flags = tracing.spans === undefined ? 0 : SAMPLED;
    const place = { traceId: this.id, flags, state: undefined, parentId: undefined, remoteParent: false };
    const span = new Span(place);
    span.set(attributes);
    this.#recording = { tracing, span };
  }

  /** The trace's id: 32 hexadecimal digits. */
  get id(): string {
    this.#id ??= newTraceId();
    return this.#id;
  }

  /** Goes on with the trace that the head of a request for the whole connection names, if it names one. Before anything else is traced. */
  continue(fields: readonly HeaderField[]): void {
    const parent = traceParentOf(fields);
    if (parent === undefined) return;
    this.#id = parent.traceId;
    this.#continued = true;
    this.#recording?.span.moveTo(under(parent, true));
  }

  /** The id of the trace that a request inside belongs to. */
  idOf(fields: readonly HeaderField[]): string {
    return traceParentOf(fields)?.traceId ?? this.id;
  }

  /** The trace of a request inside; undefined where an id is enough. */
  request(fields: readonly HeaderField[]): RequestTrace | undefined {
    if (this.#recording === undefined) return undefined;
    const { tracing, span } = this.#recording;
    const own = traceParentOf(fields);
    const place = own === undefined ? under(span.context, false) : under(own, true);
    return new RequestTrace({ place, continued: own !== undefined || this.#continued, tracing });
  }

  /** A connection to an upstream that is made for this one; undefined where nobody wants to know. */
  upstream({ host, port }: Authority): UpstreamTrace | undefined {
    const { tracing, span } = this.#recording ?? {};
    if (tracing?.spans === undefined || span === undefined) return undefined;
    const attributes = { 'server.address': host, 'server.port': port };
    return new UpstreamTrace({ name: 'connect', parent: span.context, spans: tracing.spans, attributes });
  }

  /** What is known of it by now. */
  set(attributes: () => Attributes): void {
    if (this.#recording?.tracing.spans !== undefined) this.#recording.span.set(attributes());
  }

  /** It does not come about, or is ended. The last word counts. */
  fail(code: string, attributes?: () => Attributes): void {
    this.#error = code;
    if (attributes !== undefined) this.set(attributes);
  }

  /** The connection is over. */
  end(): void {
    const { tracing, span } = this.#recording ?? {};
    if (span !== undefined) tracing?.spans?.add(span.finish('connection', 'server', this.#error));
  }
}
