import {
  latencyGroup,
  measureProxies,
  memoryGroup,
  processorGroup,
  speedGroup,
} from '../measure/proxy-harness.ts';
import { medianOf, type Series } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { hasProgram } from '../peers/installed.ts';

const WORKLOADS = [
  'keepalive-32',
  'keepalive-256',
  'latency-1',
  'newconn-16',
  'newconn-1',
  'cold-host',
  'bulk-100m',
];
const QUICK_WORKLOADS = ['keepalive-32', 'newconn-16', 'bulk-100m'];
const OURS = 'openshell-proxy inspecting';

function peersHere({ note }: TopicContext, modules: string | undefined): string[] {
  const programs = ['nginx-floor'];
  if (hasProgram('squid', note)) programs.push('squid-bump');
  if (hasProgram('mitmdump', note)) programs.push('mitmproxy');
  const srt = ['bwrap', 'socat', 'rg'].every((name) => hasProgram(name, note));
  const npm = modules === undefined ? [] : ['http-mitm-proxy', 'mockttp', ...(srt ? ['srt-mitm'] : [])];
  return ['direct', ...programs, ...npm, OURS];
}

type Comparison = readonly [group: string, peer: string, bound: Target['bound'], limit: number];

/** What the project has set itself; ratios within one run. */
const COMPARISONS: readonly Comparison[] = [
  ...['keepalive-32', 'keepalive-256'].flatMap((workload): Comparison[] => [
    [speedGroup(workload), 'squid-bump', 'at least', 2],
    [speedGroup(workload), 'mitmproxy', 'at least', 30],
    [speedGroup(workload), 'http-mitm-proxy', 'at least', 6],
    [speedGroup(workload), 'nginx-floor', 'at least', 0.7],
    [processorGroup(workload), 'squid-bump', 'at most', 0.5],
  ]),
  [speedGroup('newconn-16'), 'squid-bump', 'at least', 1.5],
  [speedGroup('newconn-16'), 'mitmproxy', 'at least', 7],
  [latencyGroup('cold-host'), 'squid-bump', 'at most', 0.75],
  [speedGroup('bulk-100m'), 'squid-bump', 'at least', 1.4],
  [speedGroup('bulk-100m'), 'nginx-floor', 'at least', 0.8],
];

/** Resident memory under 256 clients, in MB. */
const MEMORY = 100;

function targetsOf(series: readonly Series[]): Target[] {
  const measured = new Set(series.map(({ group }) => group));
  const ratios = COMPARISONS.filter(([group]) => measured.has(group)).map(
    ([group, peer, bound, limit]): Target => ({
      what: `${group}, against ${peer}`,
      bound,
      limit,
      value: medianOf(series, group, OURS) / medianOf(series, group, peer),
      unit: '×',
    }),
  );
  const memory = memoryGroup('keepalive-256');
  if (!measured.has(memory)) return ratios;
  const value = medianOf(series, memory, OURS);
  return [...ratios, { what: memory, bound: 'at most', limit: MEMORY, value, unit: 'MB' }];
}

async function run(context: TopicContext): Promise<TopicResult> {
  const series = await measureProxies(context, {
    workloads: WORKLOADS,
    quickWorkloads: QUICK_WORKLOADS,
    peers: (modules) => peersHere(context, modules),
  });
  if (series === undefined) return { series: [], references: {}, targets: [] };
  const references = Object.fromEntries(series.map(({ group }) => [group, 'squid-bump']));
  return { series, references, targets: targetsOf(series) };
}

export const inspection: Topic = {
  name: 'inspection',
  title: 'TLS opened and requests inspected, on loopback',
  run,
};
