import type { ProxyState, ProxyStatus, WorkerReport } from '@openshell/control';
import type { Handler } from '../handlers.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { jsonText, renderTable, timeText } from './table.ts';
import { renderTenants } from './tenant-table.ts';
import { visit } from './visit.ts';

/** `openshell proxyctl status`. */
export const showStatus: Handler = async (args, io) => {
  const status = await visit({ args, io, role: 'observer' }, (session) => session.status());
  io.out(args.has('json') ? jsonText(status) : renderStatus(status, io.outStyle));
  return 0;
};

const renderStatus = (status: ProxyStatus, style: Style): string =>
  [
    renderProxy(status, style),
    renderTenants(status.tenants, style),
    renderTable(WORKER_HEAD, status.workers.map(workerRow), style),
  ].join('\n');

const renderProxy = (status: ProxyStatus, style: Style): string => {
  const { version, instance, startedAt, controller, authorityNotAfter, lastEvent } = status;
  const rows: readonly (readonly [string, string])[] = [
    ['instance', instance],
    ['started', timeText(startedAt)],
    [
      'controlled by',
      controller === undefined ? 'nobody' : `${controller.name}, since ${timeText(controller.since)}`,
    ],
    [
      'authority',
      authorityNotAfter === undefined ? 'none was needed yet' : `until ${timeText(authorityNotAfter)}`,
    ],
    ['events', String(lastEvent)],
  ];
  return [
    `${style.bold(`openshell-proxy ${printable(version)}`)}: ${stateText(status, style)}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(15)}${printable(text)}`),
    '',
  ].join('\n');
};

const stateText = ({ state, denyAll, tenants }: ProxyStatus, style: Style): string => {
  const waiting = tenants.filter(({ installed }) => installed === undefined).length;
  const texts: Record<ProxyState, () => string> = {
    ready: () => style.green('ready'),
    denying: () =>
      denyAll
        ? `${style.green('denying')} everything to those without a generation, as was asked for`
        : `${style.yellow('denying')}: ${tenants.length === 0 ? 'there is no tenant' : `${waiting} of ${tenants.length} tenants have no generation`}`,
    draining: () => `${style.yellow('draining')}: it takes no new connections`,
  };
  return texts[state]();
};

const WORKER_HEAD = ['WORKER', 'PID', 'OPEN', 'MEMORY', 'CPU', 'LAG', 'FILES', 'REPLACED'];

const workerRow = (worker: WorkerReport): readonly string[] => [
  String(worker.index),
  String(worker.pid),
  String(worker.connections),
  `${(worker.residentBytes / 2 ** 20).toFixed(1)} MiB`,
  `${worker.cpuSeconds.toFixed(1)} s`,
  `${worker.eventLoopLagMs.toFixed(1)} ms`,
  String(worker.openFiles),
  worker.restarts === 1 ? 'once' : `${worker.restarts} times`,
];
