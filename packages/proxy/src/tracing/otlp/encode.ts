import type { Attributes, AttributeValue, FinishedSpan } from '../span.ts';

/** Says whose spans they are. */
export interface Resource {
  readonly attributes: Attributes;
}

/** In characters: no text of a client's, a host's name or a path above all, makes a span large. */
export interface TextBound {
  readonly spanTextLength: number;
}

const SCOPE = { name: '@openshell/proxy' };
const KINDS = { server: 2, client: 3 } as const;
const STATUS_OK = { code: 0 } as const;
const STATUS_ERROR = 2;
/** OTLP `SpanFlags`: what the flags say of the parent is known; and whether it is somebody else's. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/**
 * The body of one export (`opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest`) in the JSON form of OTLP 1.x, in which
 * ids are hexadecimal, and times texts, because they have more digits than a number.
 */
export function encodeSpans(spans: readonly FinishedSpan[], resource: Resource, bound: TextBound): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: encodeAttributes(resource.attributes, bound) },
        scopeSpans: [{ scope: SCOPE, spans: spans.map((span) => encodeSpan(span, bound)) }],
      },
    ],
  });
}

function encodeSpan(span: FinishedSpan, bound: TextBound): object {
  const { error } = span;
  const attributes = error === undefined ? span.attributes : { ...span.attributes, 'error.type': error };
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    traceState: span.state,
    parentSpanId: span.parentId,
    flags: span.flags | HAS_IS_REMOTE | (span.remoteParent ? IS_REMOTE : 0),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanoseconds(span.startedAt),
    endTimeUnixNano: nanoseconds(span.startedAt + span.durationMs),
    attributes: encodeAttributes(attributes, bound),
    status: error === undefined ? STATUS_OK : { code: STATUS_ERROR, message: error },
  };
}

/** More digits than a number has. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`;
}

function encodeAttributes(attributes: Attributes, bound: TextBound): object[] {
  const encoded: object[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) encoded.push({ key, value: encodeValue(value, bound) });
  }
  return encoded;
}

function encodeValue(value: AttributeValue, { spanTextLength }: TextBound): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value.slice(0, spanTextLength).toWellFormed() };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
    default:
      return value satisfies never;
  }
}
