import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitOf, startOwned } from '../measure/owned-process.ts';
import { medianOf, type Series } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { hasProgram, npmPeers } from '../peers/installed.ts';

const HARNESS = fileURLToPath(new URL('../harness', import.meta.url));
const OUR_PEERS = fileURLToPath(new URL('../tunnel/openshell-peers.ts', import.meta.url));

const WORKLOADS = ['keepalive-32', 'keepalive-256', 'latency-1', 'newconn-16', 'newconn-1', 'bulk-100m'];
const QUICK_WORKLOADS = ['keepalive-32', 'latency-1', 'bulk-100m'];
const OURS = ['openshell-proxy', 'openshell run'];
/** Other programs that use more than this many cores make a run one to doubt. */
const NOISY_CORES = 0.4;

/** A line of the harness's results, as far as it is read here. */
interface Run {
  readonly peer: string;
  readonly workload: string;
  readonly rps: number;
  readonly p50us: number;
  readonly mbPerSecond: number;
  readonly peerCpuMicrosPerRequest?: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly noiseCores: number;
}

const speedGroup = (workload: string): string =>
  `${workload}: ${workload.startsWith('bulk') ? 'throughput' : 'requests a second'}`;
const latencyGroup = (workload: string): string => `${workload}: time of a request, p50`;
const processorGroup = (workload: string): string => `${workload}: processor time of the proxy a request`;

/** A copy of the harness with its generator and certificates built. */
function prepareHarness(context: TopicContext, modules: string | undefined): string {
  const harness = context.scratch.directory('harness');
  cpSync(HARNESS, harness, { recursive: true });
  if (modules !== undefined) symlinkSync(modules, join(harness, 'node_modules'));
  execFileSync('make', { cwd: harness, stdio: 'ignore' });
  execFileSync('./make-certs.sh', { cwd: harness, stdio: 'ignore' });
  return harness;
}

function peersHere(context: TopicContext, modules: string | undefined): string[] {
  const programs: string[] = [];
  if (hasProgram('squid', context.note)) programs.push('squid-tunnel');
  if (hasProgram('tinyproxy', context.note)) programs.push('tinyproxy');
  const srt = ['bwrap', 'socat', 'rg'].every((name) => hasProgram(name, context.note));
  const npm = modules === undefined ? [] : ['proxy-chain', ...(srt ? ['srt-tunnel'] : [])];
  return ['direct', ...programs, ...npm, ...OURS];
}

async function runHarness(context: TopicContext, harness: string, peers: readonly string[]): Promise<Run[]> {
  const { quick, rounds, scratch } = context;
  const out = join(scratch.path, 'tunnel.jsonl');
  const workloads = quick ? QUICK_WORKLOADS : WORKLOADS;
  const options = {
    extra: OUR_PEERS,
    peers: peers.join(','),
    workloads: workloads.join(','),
    rounds: String(quick ? Math.min(rounds, 2) : rounds),
    seconds: quick ? '1' : '3',
    'quiet-wait': quick ? '0' : '2',
    state: scratch.directory('tunnel'),
    out,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = startOwned(join(harness, 'isolate.sh'), [process.execPath, 'bench.mjs', ...words], {
    cwd: harness,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await exitOf(child);
  if (code !== 0 || !existsSync(out)) throw new Error(`the tunnel harness failed (${code})`);
  return readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Run);
}

function seriesOf(runs: readonly Run[]): Series[] {
  const result = new Map<string, Series & { values: number[] }>();
  const add = (group: string, name: string, unit: string, value: number): void => {
    const key = `${group}\n${name}`;
    if (!result.has(key)) result.set(key, { group, name, unit, values: [] });
    result.get(key)!.values.push(value);
  };
  for (const run of runs) {
    const bulk = run.workload.startsWith('bulk');
    add(speedGroup(run.workload), run.peer, bulk ? 'MB/s' : '/s', bulk ? run.mbPerSecond : run.rps);
    if (!bulk) add(latencyGroup(run.workload), run.peer, 'µs', run.p50us);
    if (run.peer !== 'direct') {
      add(processorGroup(run.workload), run.peer, 'µs', run.peerCpuMicrosPerRequest ?? Number.NaN);
    }
  }
  return [...result.values()].sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0));
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
  const nothing: TopicResult = { series: [], references: {}, targets: [] };
  if (process.geteuid?.() !== 0) {
    context.note('needs root, for a network namespace of its own: left out');
    return nothing;
  }
  const needed = ['nginx', 'gcc', 'make', 'openssl'].map((name) => hasProgram(name, context.note));
  if (needed.includes(false)) return nothing;
  const modules = npmPeers(context.note);
  const harness = prepareHarness(context, modules);
  const runs = await runHarness(context, harness, peersHere(context, modules));
  const failed = runs.filter(({ errors, non2xx }) => errors + non2xx > 0);
  for (const { peer, workload, errors, non2xx } of failed) {
    context.note(`${peer}, ${workload}: ${errors} failed and ${non2xx} refused requests`);
  }
  const noisy = runs.filter(({ noiseCores }) => noiseCores > NOISY_CORES).length;
  if (noisy > 0) {
    context.note(`in ${noisy} of ${runs.length} runs other programs used over ${NOISY_CORES} cores`);
  }
  const series = seriesOf(runs);
  const references = Object.fromEntries(series.map(({ group }) => [group, 'squid-tunnel']));
  return { series, references, targets: targetsOf(series) };
}

export const tunnel: Topic = {
  name: 'tunnel',
  title: 'CONNECT tunnels to an HTTPS origin on loopback',
  run,
};
