import type {
  ProxyStatus,
  TenantCounters,
  TenantLimits,
  TenantReport,
  WorkerReport,
} from '@openshell/control';

/** What tenants have at this moment and what has happened to them, in several processes together. */
export type TenantNumbers = Pick<TenantReport, 'connections' | 'handshakes' | 'heldBytes' | 'counters'>;

export const NOTHING_YET: TenantNumbers = {
  connections: 0,
  handshakes: 0,
  heldBytes: 0,
  counters: {
    accepted: 0,
    shed: 0,
    connectionsAllowed: 0,
    connectionsDenied: 0,
    requestsAllowed: 0,
    requestsDenied: 0,
    upstreamFailures: 0,
    bytesIn: 0,
    bytesOut: 0,
    events: 0,
    eventsLost: 0,
  },
};

export const added = (one: TenantNumbers, other: TenantNumbers): TenantNumbers => ({
  connections: one.connections + other.connections,
  handshakes: one.handshakes + other.handshakes,
  heldBytes: one.heldBytes + other.heldBytes,
  counters: addedCounters(one.counters, other.counters),
});

/** What is left of a process that has ended: what has happened, and nothing that is. */
export const past = ({ counters }: TenantNumbers): TenantNumbers => ({ ...NOTHING_YET, counters });

/** Each process gets its part of what a tenant may use up, rounded up, so that all of them together keep the bound. */
export function sharedLimits(
  { connections, heldBytes, eventsPerSecond }: TenantLimits,
  processes: number,
): TenantLimits {
  const part = (limit: number | undefined) => limit && Math.ceil(limit / processes);
  return {
    connections: part(connections),
    heldBytes: part(heldBytes),
    eventsPerSecond: part(eventsPerSecond),
  };
}

/** What the status says of a worker. Process id 0: it has ended. */
export function workerReport(index: number, restarts: number, status: ProxyStatus | undefined): WorkerReport {
  const own = status?.workers[0];
  return own === undefined
    ? {
        index,
        pid: 0,
        restarts,
        connections: 0,
        residentBytes: 0,
        cpuSeconds: 0,
        eventLoopLagMs: 0,
        openFiles: 0,
      }
    : { ...own, index, restarts };
}

function addedCounters(one: TenantCounters, other: TenantCounters): TenantCounters {
  const names = Object.keys(one) as (keyof TenantCounters)[];
  return Object.fromEntries(
    names.map((name) => [name, one[name] + other[name]]),
  ) as unknown as TenantCounters;
}
