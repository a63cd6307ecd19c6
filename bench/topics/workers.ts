import { measureProxies, processorGroup, speedGroup } from '../measure/proxy-harness.ts';
import { medianOf } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { GRAPHQL_GROUP, measureGraphql } from '../workers/graphql-load.ts';

/** Requests on connections that stay, and a connection, a tunnel and a handshake for each request. */
const WORKLOADS = ['keepalive-32', 'newconn-16'];
const ONE = 'openshell-proxy inspecting';
const TWO = 'openshell-proxy inspecting with 2 workers';

/**
 * What workers add is processor time. `graphql-32` is a load of which the proxy has by far the most; in the two workloads of the harness generator and origin take
 * about as much as the proxy, so that on two cores nothing can be gained, and what is seen is what sharing costs.
 */
async function run(context: TopicContext): Promise<TopicResult> {
  const measured = await measureProxies(context, {
    workloads: WORKLOADS,
    quickWorkloads: WORKLOADS,
    peers: () => ['direct', ONE, TWO],
  });
  if (measured === undefined) return { series: [], references: {}, targets: [] };
  const series = [...((await measureGraphql(context, { [ONE]: 1, [TWO]: 2 })) ?? []), ...measured];
  const references = Object.fromEntries(series.map(({ group }) => [group, ONE]));
  const ratio = (group: string): number => medianOf(series, group, TWO) / medianOf(series, group, ONE);
  const target = (group: string, bound: Target['bound'], limit: number): Target => ({
    what: `${group}, two workers against one process`,
    ...{ bound, limit, value: ratio(group), unit: '×' },
  });
  const targets = [
    // Twice is out of reach: generator and origin are on the same two cores.
    target(GRAPHQL_GROUP, 'at least', 1.4),
    target(speedGroup('keepalive-32'), 'at least', 1),
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
