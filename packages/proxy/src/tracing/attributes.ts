import type { SandboxId } from '@openshell/base';
import type { Intent } from '@openshell/policy';
import type { EgressRefusal } from '../egress.ts';
import type { RequestRecord } from '../inspect/record.ts';
import type { RefusedCapture } from '../tenant/capture-events.ts';
import type { Grant } from '../tenant/connection.ts';
import { type InferenceEvent, shownPath } from '../tenant/request-events.ts';
import type { Attributes } from './span.ts';

/** The methods that OpenTelemetry tells apart ("Semantic conventions for HTTP spans"). Clients can make up any number of others. */
const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
]);

/** What a span of a request is called, and its method. */
export const methodOf = (method: string): { readonly name: string; readonly method: string } =>
  METHODS.has(method) ? { name: method, method } : { name: 'HTTP', method: '_OTHER' };

/** Who asks for what, as spans say it: as events do, without anything that events leave out. */
function asked({ sandbox, adapter, host, port, evidence }: Intent): Attributes {
  const known = evidence.kind === 'process' ? evidence : undefined;
  return {
    'openshell.tenant': sandbox,
    'openshell.adapter': adapter,
    'server.address': host,
    'server.port': port,
    'process.pid': known?.pid,
    'process.executable.path': known?.executable.path,
  };
}

/** Of a connection that nothing is known of yet. */
export const ofAccepted = (sandbox: SandboxId, adapter: string): Attributes => ({
  'openshell.tenant': sandbox,
  'openshell.adapter': adapter,
  'network.transport': 'tcp',
});

/** Of an allowed connection. */
export const ofGrant = ({ intent, decision, target }: Grant): Attributes => ({
  ...asked(intent),
  'openshell.action': 'allowed',
  'openshell.policy': decision.policy,
  'openshell.generation': decision.generation,
  'network.peer.address': target?.address,
  'network.peer.port': target?.port,
});

/** Of a connection that does not come about. */
export const ofRefusal = ({ intent, code, cause, policy, generation }: EgressRefusal): Attributes => ({
  ...asked(intent),
  'openshell.action': code === 'policy_denied' || code === 'ssrf_denied' ? 'denied' : 'failed',
  'openshell.code': cause,
  'openshell.policy': policy,
  'openshell.generation': generation,
});

/** Of a captured connection that goes nowhere, with or without anybody having been identified. */
export const ofRefusedCapture = ({
  intent,
  host,
  port,
  code,
  policy,
  generation,
}: RefusedCapture): Attributes => ({
  ...(intent === undefined ? { 'server.address': host, 'server.port': port } : asked(intent)),
  'openshell.action': 'denied',
  'openshell.code': code,
  'openshell.policy': policy,
  'openshell.generation': generation,
});

/** Of a tunnel that has ended. */
export const ofRelay = (relayed: { readonly in: number; readonly out: number }): Attributes => ({
  'openshell.bytes_in': relayed.in,
  'openshell.bytes_out': relayed.out,
});

type RecordedRequest = Omit<RequestRecord, 'content' | 'operation' | 'traceId'>;

/** Of a request to inference.local that is over. */
export const ofInference = ({ intent, request, record, generation }: InferenceEvent): Attributes => ({
  ...asked(intent),
  ...{ 'http.request.method': methodOf(request.method).method, 'url.scheme': 'https' },
  'url.path': shownPath(request.target),
  'network.protocol.name': 'http',
  'network.protocol.version': request.version,
  'http.response.status_code': record.status === 0 ? undefined : record.status,
  'http.request.body.size': record.bytesOut,
  'http.response.body.size': record.bytesIn,
  'gen_ai.request.model': record.model,
  'gen_ai.usage.input_tokens': record.usage?.input,
  'gen_ai.usage.output_tokens': record.usage?.output,
  'openshell.action': record.action,
  'openshell.code': record.code,
  'openshell.protocol': 'inference',
  'openshell.route': record.route,
  'openshell.generation': generation,
});

/** Of a request that could not be understood. */
export const nothingKnown = (): Attributes => ({});

/** Of a request that is over. */
export const ofRequest = (record: RecordedRequest): Attributes => ({
  ...asked(record.intent),
  ...{
    'http.request.method': methodOf(record.method).method,
    'url.scheme': record.scheme,
    'url.path': record.path,
  },
  'network.protocol.name': 'http',
  'network.protocol.version': record.version,
  'http.response.status_code': record.status === 0 ? undefined : record.status,
  'http.request.body.size': record.bytesOut,
  'http.response.body.size': record.bytesIn,
  'openshell.action': record.action,
  'openshell.code': record.code,
  'openshell.protocol': record.protocol,
  'openshell.policy': record.policy,
  'openshell.rule': record.rule,
  'openshell.generation': record.generation,
});
