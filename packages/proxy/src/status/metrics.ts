import type { ProxyStatus, TenantReport, WorkerReport } from '@openshell/control';
import { type MetricFamily, type MetricKind, renderExposition, type Sample } from './exposition.ts';
import { readinessOf } from './readiness.ts';

const PREFIX = 'openshell_proxy';

/** All that Prometheus is told of a proxy. Times are in seconds, as it wants them; names in it are the operator's own. */
export const renderMetrics = (status: ProxyStatus): string =>
  renderExposition([...proxyFamilies(status), ...workerFamilies(status), ...tenantFamilies(status)]);

function proxyFamilies(status: ProxyStatus): readonly MetricFamily[] {
  const { instance, version, startedAt, controller, tenants, lastEvent, authorityNotAfter } = status;
  const one = (name: string, kind: MetricKind, help: string, value: number | undefined): MetricFamily => ({
    name: `${PREFIX}_${name}`,
    kind,
    help,
    samples: value === undefined ? [] : [{ value }],
  });
  const waiting = tenants.filter(({ installed }) => installed === undefined).length;
  return [
    {
      name: `${PREFIX}_info`,
      kind: 'gauge',
      help: 'Always 1; the version of the program and the random name of this start.',
      samples: [{ labels: { version, instance }, value: 1 }],
    },
    one('ready', 'gauge', 'Whether /readyz says so.', Number(readinessOf(status).ready)),
    one(
      'draining',
      'gauge',
      'Whether it stops and takes no new connections.',
      Number(status.state === 'draining'),
    ),
    one('start_time_seconds', 'gauge', 'When it started, in seconds since 1970.', startedAt / 1000),
    one(
      'controller_connected',
      'gauge',
      'Whether somebody controls it at this moment.',
      Number(controller !== undefined),
    ),
    one('tenants', 'gauge', 'Tenants.', tenants.length),
    one(
      'tenants_without_generation',
      'gauge',
      'Tenants that nothing was installed for: denied everything.',
      waiting,
    ),
    one('events_total', 'counter', 'Security events, of all tenants.', lastEvent),
    one(
      'authority_not_after_timestamp_seconds',
      'gauge',
      'When the authority that signs for inspected hosts ends, in seconds since 1970.',
      authorityNotAfter === undefined ? undefined : authorityNotAfter / 1000,
    ),
  ];
}

type Row<Of> = readonly [name: string, kind: MetricKind, help: string, value: (of: Of) => number | undefined];

const WORKER_ROWS: readonly Row<WorkerReport>[] = [
  ['connections', 'gauge', 'Open connections.', ({ connections }) => connections],
  ['restarts_total', 'counter', 'Times that the worker was replaced.', ({ restarts }) => restarts],
  ['resident_memory_bytes', 'gauge', 'Memory in use.', ({ residentBytes }) => residentBytes],
  ['cpu_seconds_total', 'counter', 'CPU time, user and system.', ({ cpuSeconds }) => cpuSeconds],
  ['open_fds', 'gauge', 'Open file descriptors.', ({ openFiles }) => openFiles],
  [
    'event_loop_lag_seconds',
    'gauge',
    '99th percentile of how late timers were lately.',
    ({ eventLoopLagMs }) => eventLoopLagMs / 1000,
  ],
];

const workerFamilies = ({ workers }: ProxyStatus): readonly MetricFamily[] =>
  familiesOf('worker', WORKER_ROWS, workers, ({ index }) => ({ worker: String(index) }));

const TENANT_ROWS: readonly Row<TenantReport>[] = [
  [
    'generation',
    'gauge',
    'Number of the generation in force; 0: none.',
    ({ installed }) => installed?.generation ?? 0,
  ],
  [
    'generation_installed_timestamp_seconds',
    'gauge',
    'When it was installed, in seconds since 1970.',
    ({ installed }) => installed && installed.installedAt / 1000,
  ],
  ['connections', 'gauge', 'Open connections.', ({ connections }) => connections],
  [
    'handshakes',
    'gauge',
    'Of those, the ones that have not reached a destination.',
    ({ handshakes }) => handshakes,
  ],
  ['held_bytes', 'gauge', 'Bytes of bodies and messages held in memory.', ({ heldBytes }) => heldBytes],
  ['connections_accepted_total', 'counter', 'Connections taken.', ({ counters }) => counters.accepted],
  [
    'connections_shed_total',
    'counter',
    'Connections turned away because there were too many.',
    ({ counters }) => counters.shed,
  ],
  [
    'upstream_failures_total',
    'counter',
    'Connections and requests that were allowed and did not come about.',
    ({ counters }) => counters.upstreamFailures,
  ],
  ['received_bytes_total', 'counter', 'Bytes from upstreams.', ({ counters }) => counters.bytesIn],
  ['sent_bytes_total', 'counter', 'Bytes to upstreams.', ({ counters }) => counters.bytesOut],
  ['events_total', 'counter', 'Security events that were passed on.', ({ counters }) => counters.events],
  [
    'events_lost_total',
    'counter',
    'Security events beyond the bound, counted only.',
    ({ counters }) => counters.eventsLost,
  ],
];

const tenantLabels = ({ id }: TenantReport) => ({ tenant: id as string });

const tenantFamilies = ({ tenants }: ProxyStatus): readonly MetricFamily[] => [
  ...familiesOf('tenant', TENANT_ROWS, tenants, tenantLabels),
  decisions('connection', tenants, ({ connectionsAllowed, connectionsDenied }) => [
    connectionsAllowed,
    connectionsDenied,
  ]),
  decisions('request', tenants, ({ requestsAllowed, requestsDenied }) => [requestsAllowed, requestsDenied]),
];

const decisions = (
  what: string,
  tenants: readonly TenantReport[],
  counts: (counters: TenantReport['counters']) => readonly [allowed: number, denied: number],
): MetricFamily => ({
  name: `${PREFIX}_tenant_${what}_decisions_total`,
  kind: 'counter',
  help: `What policy said about each ${what}.`,
  samples: tenants.flatMap((tenant) => {
    const [allowed, denied] = counts(tenant.counters);
    const sample = (decision: string, value: number): Sample => ({
      labels: { ...tenantLabels(tenant), decision },
      value,
    });
    return [sample('allowed', allowed), sample('denied', denied)];
  }),
});

const familiesOf = <Of>(
  what: string,
  rows: readonly Row<Of>[],
  all: readonly Of[],
  labelsOf: (of: Of) => Readonly<Record<string, string>>,
): readonly MetricFamily[] =>
  rows.map(([name, kind, help, value]) => ({
    name: `${PREFIX}_${what}_${name}`,
    kind,
    help,
    samples: all.flatMap((of): Sample[] => {
      const found = value(of);
      return found === undefined ? [] : [{ labels: labelsOf(of), value: found }];
    }),
  }));
