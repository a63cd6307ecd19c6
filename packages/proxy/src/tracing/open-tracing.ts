import { randomUUID } from 'node:crypto';
import { type Limits, limitsWith } from '../limits.ts';
import type { UpstreamTrust } from '../tls/trust.ts';
import type { TraceHeader, TracingOptions } from './options.ts';
import type { SpanSink } from './span.ts';

export interface OtlpOptions {
  /** `http://collector:4318`; with a path, exactly that one. */
  readonly endpoint: string;
  /** Fields to send along, one a line. */
  readonly headersFile?: string | undefined;
  /** For https: the machine's own authorities and the operator's. */
  readonly trust: UpstreamTrust;
  /** Of the program. */
  readonly version: string;
  /** Of this process; random, when absent. */
  readonly instance?: string | undefined;
  /** One line for the operator. */
  readonly say: (line: string) => void;
}

export interface OpenTracingOptions {
  readonly header?: TraceHeader | undefined;
  /** Where spans are exported to; nowhere, when absent. */
  readonly otlp?: OtlpOptions | undefined;
  readonly limits?: Partial<Limits> | undefined;
}

/** Tracing that is under way. */
export interface Tracing extends TracingOptions {
  /** Sends what is left, within a bound. */
  close(): Promise<void>;
}

/**
 * Makes what `EgressProxy` takes as `tracing`; undefined where the operator wants nothing of it. What exports is loaded only where
 * there is somewhere to export to.
 * @throws OpenShellError `bad_otlp_endpoint`, `bad_otlp_headers`
 */
export async function openTracing({
  header = 'off',
  otlp,
  limits,
}: OpenTracingOptions): Promise<Tracing | undefined> {
  if (otlp !== undefined) {
    const exporter = await openExporter(otlp, limitsWith(limits));
    return { header, spans: exporter, close: () => exporter.close() };
  }
  return header === 'off' ? undefined : { header, close: async () => {} };
}

async function openExporter(
  otlp: OtlpOptions,
  limits: Limits,
): Promise<SpanSink & { close(): Promise<void> }> {
  const { endpoint, headersFile, trust, version, instance = randomUUID(), say } = otlp;
  const { Collector, OtlpExporter, otlpEndpoint, readHeaders } = await import('./otlp/index.ts');
  const url = otlpEndpoint(endpoint);
  const headers = async (): Promise<Record<string, string>> =>
    headersFile === undefined ? {} : readHeaders(headersFile, limits.spanHeaderBytes);
  // What is wrong with the file is said at once, and not with the first span.
  await headers();
  const collector = new Collector({
    url,
    secureContext: () => trust.contextFor(url.hostname.replace(/^\[|\]$/g, '')),
    timeMs: limits.spanExportTime,
    answerBytes: limits.spanAnswerBytes,
  });
  const attributes = {
    'service.name': 'openshell-proxy',
    'service.version': version,
    'service.instance.id': instance,
    'process.pid': process.pid,
  };
  return new OtlpExporter({ collector, resource: { attributes }, headers, limits, say });
}
