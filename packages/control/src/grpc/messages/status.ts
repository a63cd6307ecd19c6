import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { ProxyState, ProxyStatus, WorkerReport } from '../../contract/status.ts';
import type {
  GetStatusResponseSchema,
  WorkerReportSchema,
} from '../generated/openshell/proxy/v1/proxy_pb.ts';
import { narrow, narrowOr, wide, wideOr } from './numbers.ts';
import { reportFrom, reportTo } from './tenant.ts';

export const statusTo = (status: ProxyStatus): MessageInitShape<typeof GetStatusResponseSchema> => ({
  instance: status.instance,
  version: status.version,
  state: status.state,
  denyAll: status.denyAll,
  startedAt: wide(status.startedAt),
  controller: status.controller && {
    name: status.controller.name,
    since: wide(status.controller.since),
  },
  tenants: status.tenants.map(reportTo),
  workers: status.workers.map(workerTo),
  authorityNotAfter: wideOr(status.authorityNotAfter),
  lastEvent: wide(status.lastEvent),
});

export const statusFrom = (message: MessageShape<typeof GetStatusResponseSchema>): ProxyStatus => ({
  instance: message.instance,
  version: message.version,
  state: message.state as ProxyState,
  denyAll: message.denyAll,
  startedAt: narrow(message.startedAt),
  controller: message.controller && {
    name: message.controller.name,
    since: narrow(message.controller.since),
  },
  tenants: message.tenants.map(reportFrom),
  workers: message.workers.map(workerFrom),
  authorityNotAfter: narrowOr(message.authorityNotAfter),
  lastEvent: narrow(message.lastEvent),
});

const workerTo = (worker: WorkerReport): MessageInitShape<typeof WorkerReportSchema> => ({
  index: worker.index,
  pid: wide(worker.pid),
  restarts: wide(worker.restarts),
  connections: wide(worker.connections),
  residentBytes: wide(worker.residentBytes),
  cpuSeconds: worker.cpuSeconds,
  eventLoopLagMs: worker.eventLoopLagMs,
  openFiles: wide(worker.openFiles),
});

const workerFrom = (message: MessageShape<typeof WorkerReportSchema>): WorkerReport => ({
  index: message.index,
  pid: narrow(message.pid),
  restarts: narrow(message.restarts),
  connections: narrow(message.connections),
  residentBytes: narrow(message.residentBytes),
  cpuSeconds: message.cpuSeconds,
  eventLoopLagMs: message.eventLoopLagMs,
  openFiles: narrow(message.openFiles),
});
