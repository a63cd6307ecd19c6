import type { SecurityEvent } from './event.ts';

/** By what events, lines of logs, spans and answers about one thing are found again. */
export interface Correlation {
  readonly tenant?: string | undefined;
  readonly generation?: number | undefined;
  /** 32 hexadecimal digits. */
  readonly traceId?: string | undefined;
}

/** The fields of a line of a log in JSON; `trace_id` as OpenTelemetry names it ("Trace Context in non-OTLP Log Formats"). */
export interface LogFields {
  readonly tenant?: string | undefined;
  readonly generation?: number | undefined;
  readonly trace_id?: string | undefined;
}

/** The fields of a line about something: a refusal, or anything else that says what it belongs to. */
export const logFields = ({ tenant, generation, traceId }: Correlation): LogFields => ({
  tenant,
  generation,
  trace_id: traceId,
});

/** What an event belongs to; it stands in the same places whatever the event's class. */
export function correlationOf({ metadata, trace, unmapped }: SecurityEvent): Correlation {
  const generation = unmapped?.generation;
  return {
    tenant: metadata.tenant_uid,
    generation: typeof generation === 'number' ? generation : undefined,
    traceId: trace?.uid,
  };
}
