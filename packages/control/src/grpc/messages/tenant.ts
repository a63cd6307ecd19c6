import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { sandboxId } from '@openshell/base';
import type {
  Recognition,
  TenantCounters,
  TenantLimits,
  TenantReport,
  TenantSpec,
} from '../../contract/tenant.ts';
import type {
  RecognitionSchema,
  TenantCountersSchema,
  TenantLimitsSchema,
  TenantReportSchema,
  TenantSchema,
} from '../generated/openshell/proxy/v1/proxy_pb.ts';
import { absent, present } from './absent.ts';
import { installedFrom, installedTo } from './generation.ts';
import { narrow, narrowOr, wide, wideOr } from './numbers.ts';

export const tenantTo = (spec: TenantSpec): MessageInitShape<typeof TenantSchema> => ({
  id: spec.id,
  recognitions: spec.recognitions.map(recognitionTo),
  identity: spec.identity,
  limits: spec.limits && limitsTo(spec.limits),
});

/** The identity is whatever the other side says. */
export const tenantFrom = (message: MessageShape<typeof TenantSchema>): TenantSpec => ({
  id: sandboxId(message.id),
  recognitions: message.recognitions.map(recognitionFrom),
  identity: message.identity as TenantSpec['identity'],
  limits: message.limits && limitsFrom(message.limits),
});

export const reportTo = (report: TenantReport): MessageInitShape<typeof TenantReportSchema> => ({
  id: report.id,
  specHash: report.specHash ?? '',
  installed: report.installed && installedTo(report.installed),
  listening: report.listening.map(({ host, port }) => ({ host, port })),
  connections: wide(report.connections),
  handshakes: wide(report.handshakes),
  heldBytes: wide(report.heldBytes),
  counters: countersTo(report.counters),
});

export const reportFrom = (message: MessageShape<typeof TenantReportSchema>): TenantReport => ({
  id: sandboxId(message.id),
  ...(message.specHash !== '' && { specHash: message.specHash }),
  installed: message.installed && installedFrom(message.installed),
  listening: message.listening.map(({ host, port }) => ({ host, port })),
  connections: narrow(message.connections),
  handshakes: narrow(message.handshakes),
  heldBytes: narrow(message.heldBytes),
  counters: countersFrom(present(message.counters, 'counters')),
});

const recognitionTo = (recognition: Recognition): MessageInitShape<typeof RecognitionSchema> => {
  switch (recognition.kind) {
    case 'listener':
      return { by: { case: 'listener', value: { host: recognition.host, port: recognition.port } } };
    case 'credentials': {
      const { username, passwordSha256 } = recognition;
      return { by: { case: 'credentials', value: { username, passwordSha256 } } };
    }
    case 'source':
      return { by: { case: 'source', value: recognition.network } };
    case 'certificate':
      return { by: { case: 'certificate', value: recognition.name } };
  }
};

const recognitionFrom = ({ by }: MessageShape<typeof RecognitionSchema>): Recognition => {
  switch (by.case) {
    case 'listener':
      return { kind: 'listener', host: by.value.host, port: by.value.port };
    case 'credentials':
      return {
        kind: 'credentials',
        username: by.value.username,
        passwordSha256: by.value.passwordSha256,
      };
    case 'source':
      return { kind: 'source', network: by.value };
    case 'certificate':
      return { kind: 'certificate', name: by.value };
    case undefined:
      throw absent('kind of recognition');
  }
};

const limitsTo = (limits: TenantLimits): MessageInitShape<typeof TenantLimitsSchema> => ({
  connections: wideOr(limits.connections),
  heldBytes: wideOr(limits.heldBytes),
  eventsPerSecond: wideOr(limits.eventsPerSecond),
});

const limitsFrom = (message: MessageShape<typeof TenantLimitsSchema>): TenantLimits => ({
  connections: narrowOr(message.connections),
  heldBytes: narrowOr(message.heldBytes),
  eventsPerSecond: narrowOr(message.eventsPerSecond),
});

const countersTo = (counters: TenantCounters): MessageInitShape<typeof TenantCountersSchema> => ({
  accepted: wide(counters.accepted),
  shed: wide(counters.shed),
  connectionsAllowed: wide(counters.connectionsAllowed),
  connectionsDenied: wide(counters.connectionsDenied),
  requestsAllowed: wide(counters.requestsAllowed),
  requestsDenied: wide(counters.requestsDenied),
  upstreamFailures: wide(counters.upstreamFailures),
  bytesIn: wide(counters.bytesIn),
  bytesOut: wide(counters.bytesOut),
  events: wide(counters.events),
  eventsLost: wide(counters.eventsLost),
});

const countersFrom = (message: MessageShape<typeof TenantCountersSchema>): TenantCounters => ({
  accepted: narrow(message.accepted),
  shed: narrow(message.shed),
  connectionsAllowed: narrow(message.connectionsAllowed),
  connectionsDenied: narrow(message.connectionsDenied),
  requestsAllowed: narrow(message.requestsAllowed),
  requestsDenied: narrow(message.requestsDenied),
  upstreamFailures: narrow(message.upstreamFailures),
  bytesIn: narrow(message.bytesIn),
  bytesOut: narrow(message.bytesOut),
  events: narrow(message.events),
  eventsLost: narrow(message.eventsLost),
});
