import { measureProxies, processorGroup, speedGroup } from '../measure/proxy-harness.ts';
import { medianOf } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';

/** Requests on connections that stay, and a connection, a tunnel and a handshake for each request. */
const WORKLOADS = ['keepalive-32', 'newconn-16'];
const ONE = 'openshell-proxy inspecting';
const TWO = 'openshell-proxy inspecting with 2 workers';

/**
 * Inspected, because the processor is what workers add: there a request takes the proxy several times of what it takes generator and origin, which
 * have the same two cores. Twice as much is out of reach for that reason; `direct` is what they do without a proxy.
 */
async function run(context: TopicContext): Promise<TopicResult> {
  const series = await measureProxies(context, {
    workloads: WORKLOADS,
    quickWorkloads: WORKLOADS,
    peers: () => ['direct', ONE, TWO],
  });
  if (series === undefined) return { series: [], references: {}, targets: [] };
  const references = Object.fromEntries(series.map(({ group }) => [group, ONE]));
  const ratio = (group: string): number => medianOf(series, group, TWO) / medianOf(series, group, ONE);
  const target = (group: string, bound: Target['bound'], limit: number): Target => ({
    what: `${group}, two workers against one process`,
    ...{ bound, limit, value: ratio(group), unit: '×' },
  });
  const targets = [
    target(speedGroup('keepalive-32'), 'at least', 1.3),
    target(speedGroup('newconn-16'), 'at least', 1),
    // What sharing the work costs.
    target(processorGroup('keepalive-32'), 'at most', 1.2),
  ];
  return { series, references, targets };
}

export const workers: Topic = {
  name: 'workers',
  title: 'One process and two workers, TLS opened and requests inspected, on loopback',
  run,
};
