import type { OutgoingRequest } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { methodOf } from './attributes.ts';
import type { TracingOptions } from './options.ts';
import { type Attributes, type Place, Span } from './span.ts';
import { newSpanId, withTraceParent } from './trace-context.ts';
import { UpstreamTrace } from './upstream-trace.ts';

export interface RequestTraceOptions {
  readonly place: Place;
  /** The client has begun the trace, by this request or for its connection. */
  readonly continued: boolean;
  readonly tracing: TracingOptions;
}

/** Where one request inside a connection stands in a trace, for operators who want to see it or to pass it on. */
export class RequestTrace {
  readonly #tracing: TracingOptions;
  readonly #continued: boolean;
  readonly #span: Span;
  /** Of the span that the upstream is told to be under. */
  #upstreamId: string | undefined;

  constructor({ place, continued, tracing }: RequestTraceOptions) {
    this.#tracing = tracing;
    this.#continued = continued;
    this.#span = new Span(place);
  }

  /** The trace's id. */
  get id(): string {
    return this.#span.context.traceId;
  }

  get spanId(): string {
    return this.#span.id;
  }

  /** The request's fields as they go to the upstream: as they are, or with those of the trace put in their place. */
  outgoing(fields: readonly HeaderField[]): readonly HeaderField[] {
    const { header } = this.#tracing;
    if (header === 'off') return fields;
    const told = header === 'add' || this.#continued;
    if (!told) return withTraceParent(fields, undefined);
    this.#upstreamId ??= newSpanId();
    return withTraceParent(fields, { ...this.#span.context, spanId: this.#upstreamId });
  }

  /** The request goes out; undefined where nobody wants to know. */
  upstream({ host, port }: UpstreamAddress, request: Sent): UpstreamTrace | undefined {
    const { spans } = this.#tracing;
    if (spans === undefined) return undefined;
    const { name, method } = methodOf(request.method);
    return new UpstreamTrace({
      name,
      spans,
      parent: this.#span.context,
      spanId: this.#upstreamId,
      attributes: {
        'http.request.method': method,
        'url.scheme': request.scheme,
        'server.address': host,
        'server.port': port,
      },
    });
  }

  /** The request is over. */
  end<Record extends Ended>(attributesOf: (record: Record) => Attributes, record: Record): void {
    const { spans } = this.#tracing;
    if (spans === undefined) return;
    const { method, action, code = action, broken } = record;
    const passed = action === 'allowed' || action === 'audited';
    const error = !passed ? code : broken === undefined ? undefined : 'broken';
    this.#span.set(attributesOf(record));
    spans.add(this.#span.finish(methodOf(method).name, 'server', error));
  }
}

/** What a span needs to know of the end of a request. */
interface Ended {
  readonly method: string;
  readonly action: 'allowed' | 'audited' | 'denied' | 'failed';
  readonly code?: string | undefined;
  readonly broken?: string | undefined;
}

type Sent = Pick<OutgoingRequest, 'method' | 'scheme'>;

interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
}
