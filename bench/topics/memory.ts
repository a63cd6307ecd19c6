import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { exitOf, startOwned } from '../measure/owned-process.ts';
import { median, type Series } from '../measure/series.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';

const SUPERVISOR = fileURLToPath(new URL('../memory/supervisor.ts', import.meta.url));
const MANY = 100;

interface Sizes {
  readonly supervisor: number;
  readonly launchers: number;
  readonly inits: number;
}

interface Pids {
  readonly launcher: number;
  readonly init: number;
}

/** Resident kilobytes, pages that are shared counted by their share (PSS). */
function residentKb(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? Number.NaN);
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) return line;
  throw new Error('the supervisor ended before its sandboxes stood');
}

/** A supervisor of its own process with this many idle sandboxes. */
async function measure(count: number, workdir: string): Promise<Sizes> {
  const child = startOwned(process.execPath, ['--expose-gc', SUPERVISOR, String(count), workdir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = exitOf(child);
  const pids = JSON.parse(await firstLine(child)) as Pids[];
  const sum = (list: number[]): number => list.reduce((total, pid) => total + residentKb(pid), 0);
  const sizes = {
    supervisor: residentKb(child.pid!),
    launchers: sum(pids.map(({ launcher }) => launcher)),
    inits: sum(pids.map(({ init }) => init)),
  };
  child.stdin!.end();
  if ((await ended) !== 0) throw new Error('the supervisor failed');
  return sizes;
}

async function run(context: TopicContext): Promise<TopicResult> {
  const workdir = context.scratch.directory('memory');
  const counts = [1, context.quick ? 20 : MANY] as const;
  const samples = new Map<number, Sizes[]>(counts.map((count) => [count, []]));
  for (let round = 0; round < context.rounds; round++) {
    for (const count of counts) samples.get(count)!.push(await measure(count, workdir));
  }
  const [one, many] = counts.map((count) => samples.get(count)!) as [Sizes[], Sizes[]];
  const further = (part: keyof Sizes): number[] =>
    many.map((sizes, round) => (sizes[part] - one[round]![part]) / (counts[1] - 1));
  const parts = ['supervisor', 'launchers', 'inits'] as const;
  const total = many.map((_, round) => parts.reduce((sum, part) => sum + further(part)[round]!, 0));
  const group = 'each further idle sandbox';
  const series: Series[] = [
    ...counts.flatMap((count) =>
      parts.map((part) => ({
        group: `resident with ${count} idle`,
        name: part,
        unit: 'KiB',
        values: samples.get(count)!.map((sizes) => sizes[part]),
      })),
    ),
    ...parts.map((part) => ({ group, name: part, unit: 'KiB', values: further(part) })),
    { group, name: 'total', unit: 'KiB', values: total },
  ];
  return {
    series,
    references: {},
    targets: [
      {
        what: 'each further idle sandbox in one supervisor',
        bound: 'at most',
        limit: 1,
        value: median(total) / 1024,
        unit: 'MiB',
      },
    ],
  };
}

export const memory: Topic = { name: 'memory', title: 'Resident memory (PSS) of idle sandboxes', run };
