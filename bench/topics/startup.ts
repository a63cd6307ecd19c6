import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../checkout.ts';
import { endedChildrenTime } from '../measure/processor-time.ts';
import { median, type Series } from '../measure/series.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { hasProgram, npmPeers } from '../peers/installed.ts';

const WALL = 'whole command, wall time';
const PROCESSOR = 'whole command, processor time';
const RUNS_A_ROUND = 5;

interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
}

const NODE: Command = { name: 'node -e 0', argv: [process.execPath, '-e', '0'] };
const SRT_DOMAINS = 'srt true, allowed domains';
const RUN_POLICY = 'openshell run --policy P -- true';

const POLICY = `version: 1
network_policies:
  example:
    binaries: [{ path: /usr/bin/curl }]
    endpoints: [{ host: example.com, port: 443 }]
`;

function srtCommands(context: TopicContext, directory: string): Command[] {
  const tools = ['bwrap', 'socat', 'rg'].map((name) => hasProgram(name, context.note));
  const modules = npmPeers(context.note);
  if (modules === undefined || tools.includes(false)) return [];
  const srt = join(modules, '.bin/srt');
  const settings = (name: string, allowedDomains: readonly string[]): string => {
    const file = join(directory, `${name}.json`);
    const filesystem = { denyRead: [], allowWrite: ['/tmp'], denyWrite: [] };
    writeFileSync(file, JSON.stringify({ network: { allowedDomains, deniedDomains: [] }, filesystem }));
    return file;
  };
  const command = (name: string, file: string): Command => ({
    name,
    argv: [process.execPath, srt, '--settings', file, 'true'],
  });
  return [
    command('srt true, no network', settings('none', [])),
    command(SRT_DOMAINS, settings('domains', ['example.com'])),
  ];
}

function commands(context: TopicContext): Command[] {
  const directory = context.scratch.directory('startup');
  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, POLICY);
  const bwrap: Command[] = hasProgram('bwrap', context.note)
    ? [{ name: 'bwrap --ro-bind / / true', argv: ['bwrap', '--ro-bind', '/', '/', 'true'] }]
    : [];
  return [
    { name: 'true', argv: ['/bin/true'] },
    ...bwrap,
    NODE,
    ...srtCommands(context, directory),
    { name: 'openshell run -- true', argv: [program('openshell'), 'run', '--', 'true'] },
    { name: RUN_POLICY, argv: [program('openshell'), 'run', '--policy', policy, '--', 'true'] },
  ].filter(({ argv }) => !argv[0]!.includes('/') || existsSync(argv[0]!)) as Command[];
}

/** Milliseconds that one run takes, by the clock and on the processors. */
function runOnce({ name, argv: [file, ...args] }: Command, cwd: string): { wall: number; processor: number } {
  const used = endedChildrenTime();
  const start = performance.now();
  const { status, stderr } = spawnSync(file, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  const wall = performance.now() - start;
  if (status !== 0) throw new Error(`${name} failed (${status}): ${stderr}`);
  return { wall, processor: endedChildrenTime() - used };
}

async function run(context: TopicContext): Promise<TopicResult> {
  const all = commands(context);
  const cwd = context.scratch.directory('startup/work');
  const wall = new Map<string, number[]>(all.map(({ name }) => [name, []]));
  const processor = new Map<string, number[]>(all.map(({ name }) => [name, []]));
  const rounds = context.rounds * (context.quick ? 1 : RUNS_A_ROUND);
  for (const command of all) runOnce(command, cwd); // fills caches, the compile cache among them
  for (let round = 0; round < rounds; round++) {
    for (const command of all) {
      const once = runOnce(command, cwd);
      wall.get(command.name)!.push(once.wall);
      processor.get(command.name)!.push(once.processor);
    }
  }
  const series = (group: string, values: Map<string, number[]>): Series[] =>
    [...values].map(([name, list]) => ({ group, name, unit: 'ms', values: list }));
  const of = (name: string): number => median(wall.get(name) ?? []);
  return {
    series: [...series(WALL, wall), ...series(PROCESSOR, processor)],
    references: { [WALL]: NODE.name, [PROCESSOR]: NODE.name },
    targets: [
      {
        what: 'openshell run with a policy, against srt with allowed domains',
        bound: 'at most',
        limit: 0.25,
        value: of(RUN_POLICY) / of(SRT_DOMAINS),
        unit: '×',
      },
      {
        what: 'openshell run with a policy, against node -e 0',
        bound: 'at most',
        limit: 3,
        value: of(RUN_POLICY) / of(NODE.name),
        unit: '×',
      },
    ],
  };
}

export const startup: Topic = { name: 'startup', title: 'A whole command, from the shell and back', run };
