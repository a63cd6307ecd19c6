import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram, npmPeers } from '../peers/installed.ts';
import { exitOf, startOwned } from './owned-process.ts';
import type { Series } from './series.ts';
import type { TopicContext } from './topic.ts';

const HARNESS = fileURLToPath(new URL('../harness', import.meta.url));
const OUR_PEERS = fileURLToPath(new URL('../tunnel/openshell-peers.ts', import.meta.url));

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
  readonly peerRssMb?: number;
  readonly errors: number;
  readonly non2xx: number;
  readonly noiseCores: number;
}

export interface HarnessRequest {
  readonly workloads: readonly string[];
  readonly quickWorkloads: readonly string[];
  /** Names of the harness's peers, given which npm peers are there. */
  readonly peers: (modules: string | undefined) => readonly string[];
}

export const speedGroup = (workload: string): string =>
  `${workload}: ${workload.startsWith('bulk') ? 'throughput' : 'requests a second'}`;
export const latencyGroup = (workload: string): string => `${workload}: time of a request, p50`;
export const processorGroup = (workload: string): string =>
  `${workload}: processor time of the proxy a request`;
export const memoryGroup = (workload: string): string => `${workload}: memory of the proxy`;

/** Runs the load harness over proxies; undefined, with notes, where something that it needs is not there. */
export async function measureProxies(
  context: TopicContext,
  request: HarnessRequest,
): Promise<Series[] | undefined> {
  if (process.geteuid?.() !== 0) {
    context.note('needs root, for a network namespace of its own: left out');
    return undefined;
  }
  const needed = ['nginx', 'gcc', 'make', 'openssl'].map((name) => hasProgram(name, context.note));
  if (needed.includes(false)) return undefined;
  const modules = npmPeers(context.note);
  const harness = prepareHarness(context, modules);
  const runs = await runHarness(context, harness, request, request.peers(modules));
  report(context, runs);
  return seriesOf(runs);
}

/** A copy of the harness with its generator and certificates built. */
function prepareHarness(context: TopicContext, modules: string | undefined): string {
  const harness = context.scratch.directory('harness');
  cpSync(HARNESS, harness, { recursive: true });
  if (modules !== undefined) symlinkSync(modules, join(harness, 'node_modules'));
  execFileSync('make', { cwd: harness, stdio: 'ignore' });
  execFileSync('./make-certs.sh', { cwd: harness, stdio: 'ignore' });
  return harness;
}

async function runHarness(
  { quick, rounds, scratch }: TopicContext,
  harness: string,
  request: HarnessRequest,
  peers: readonly string[],
): Promise<Run[]> {
  const out = join(scratch.path, 'proxies.jsonl');
  const workloads = quick ? request.quickWorkloads : request.workloads;
  const options = {
    extra: OUR_PEERS,
    peers: peers.join(','),
    workloads: workloads.join(','),
    rounds: String(quick ? Math.min(rounds, 2) : rounds),
    seconds: quick ? '2' : '3',
    'quiet-wait': quick ? '0' : '2',
    state: scratch.directory('proxies'),
    out,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = startOwned(join(harness, 'isolate.sh'), [process.execPath, 'bench.mjs', ...words], {
    cwd: harness,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await exitOf(child);
  if (code !== 0 || !existsSync(out)) throw new Error(`the proxy harness failed (${code})`);
  return readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Run);
}

function report(context: TopicContext, runs: readonly Run[]): void {
  for (const { peer, workload, errors, non2xx } of runs) {
    if (errors + non2xx > 0)
      context.note(`${peer}, ${workload}: ${errors} failed and ${non2xx} refused requests`);
  }
  const noisy = runs.filter(({ noiseCores }) => noiseCores > NOISY_CORES).length;
  if (noisy > 0)
    context.note(`in ${noisy} of ${runs.length} runs other programs used over ${NOISY_CORES} cores`);
}

function seriesOf(runs: readonly Run[]): Series[] {
  const result = new Map<string, Series & { values: number[] }>();
  const add = (group: string, name: string, unit: string, value: number | undefined): void => {
    if (value === undefined) return;
    const key = `${group}\n${name}`;
    if (!result.has(key)) result.set(key, { group, name, unit, values: [] });
    result.get(key)!.values.push(value);
  };
  for (const run of runs) {
    const bulk = run.workload.startsWith('bulk');
    add(speedGroup(run.workload), run.peer, bulk ? 'MB/s' : '/s', bulk ? run.mbPerSecond : run.rps);
    if (!bulk) add(latencyGroup(run.workload), run.peer, 'µs', run.p50us);
    if (run.peer === 'direct') continue;
    add(processorGroup(run.workload), run.peer, 'µs', run.peerCpuMicrosPerRequest ?? Number.NaN);
    if (run.workload === 'keepalive-256') add(memoryGroup(run.workload), run.peer, 'MB', run.peerRssMb);
  }
  return [...result.values()].sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0));
}
