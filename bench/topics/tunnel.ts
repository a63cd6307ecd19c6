import { latencyGroup, measureProxies, speedGroup } from '../measure/proxy-harness.ts';
import { medianOf, type Series } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { hasProgram } from '../peers/installed.ts';

const WORKLOADS = ['keepalive-32', 'keepalive-256', 'latency-1', 'newconn-16', 'newconn-1', 'bulk-100m'];
const QUICK_WORKLOADS = ['keepalive-32', 'latency-1', 'bulk-100m'];
const OURS = ['openshell-proxy', 'openshell run'];

function peersHere({ note }: TopicContext, modules: string | undefined): string[] {
  const programs: string[] = [];
  if (hasProgram('squid', note)) programs.push('squid-tunnel');
  if (hasProgram('tinyproxy', note)) programs.push('tinyproxy');
  const srt = ['bwrap', 'socat', 'rg'].every((name) => hasProgram(name, note));
  const npm = modules === undefined ? [] : ['proxy-chain', ...(srt ? ['srt-tunnel'] : [])];
  return ['direct', ...programs, ...npm, ...OURS];
}

function targetsOf(series: readonly Series[]): Target[] {
  const ratio = (group: string, ours: string, peer: string): number =>
    medianOf(series, group, ours) / medianOf(series, group, peer);
  const measured = [...new Set(series.map(({ group }) => group))];
  const speeds = ['keepalive-32', 'keepalive-256', 'bulk-100m'].map(speedGroup);
  return OURS.flatMap((ours): Target[] => [
    ...speeds
      .filter((group) => measured.includes(group))
      .flatMap((group): Target[] => [
        {
          what: `${group}, ${ours} against squid's tunnel`,
          bound: 'at least',
          limit: 1,
          value: ratio(group, ours, 'squid-tunnel'),
          unit: '×',
        },
        {
          what: `${group}, ${ours} against srt's tunnel`,
          bound: 'at least',
          limit: 1.5,
          value: ratio(group, ours, 'srt-tunnel'),
          unit: '×',
        },
      ]),
    {
      what: `${latencyGroup('latency-1')}, ${ours} against squid's tunnel`,
      bound: 'at most',
      limit: 1.15,
      value: ratio(latencyGroup('latency-1'), ours, 'squid-tunnel'),
      unit: '×',
    },
  ]);
}

async function run(context: TopicContext): Promise<TopicResult> {
  const series = await measureProxies(context, {
    workloads: WORKLOADS,
    quickWorkloads: QUICK_WORKLOADS,
    peers: (modules) => peersHere(context, modules),
  });
  if (series === undefined) return { series: [], references: {}, targets: [] };
  const references = Object.fromEntries(series.map(({ group }) => [group, 'squid-tunnel']));
  return { series, references, targets: targetsOf(series) };
}

export const tunnel: Topic = {
  name: 'tunnel',
  title: 'CONNECT tunnels to an HTTPS origin on loopback',
  run,
};
