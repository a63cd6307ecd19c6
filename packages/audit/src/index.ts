export { type Correlation, correlationOf, type LogFields, logFields } from './correlation.ts';
export type { SecurityEvent } from './event.ts';
export { type ConfigEvent, type ConfigOptions, configEvent } from './events/config.ts';
export { type DnsEvent, type DnsOptions, dnsRefusedEvent } from './events/dns.ts';
export { type FindingEvent, type FindingOptions, findingEvent } from './events/finding.ts';
export { type HttpEvent, type HttpOptions, httpEvent } from './events/http.ts';
export { type LifecycleEvent, type LifecycleOptions, lifecycleEvent } from './events/lifecycle.ts';
export {
  type Action,
  type NetworkActivity,
  type NetworkEvent,
  type NetworkOptions,
  networkEvent,
} from './events/network.ts';
export { type ProcessEvent, type ProcessEventOptions, processEvent } from './events/process.ts';
export { eventLine } from './line.ts';
export { baseName, type EndpointOptions, type ProcessOptions, type RuleOptions } from './objects.ts';
export {
  type CommonOptions,
  OCSF_VERSION,
  type Severity,
  type Unmapped,
  type UnmappedValue,
} from './ocsf.ts';
export { type Refusal, RefusalReporter, type RefusalReporterOptions } from './refusals.ts';
export { FanOutSink } from './sinks/fan-out.ts';
export { type FileSinkOptions, openFileSink } from './sinks/file.ts';
export { MemorySink } from './sinks/memory.ts';
export type { EventSink, SinkErrorHandler } from './sinks/sink.ts';
export { type StreamSinkOptions, streamSink } from './sinks/stream.ts';
export { plainText } from './text.ts';
