import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPrograms, ROOT } from './checkout.ts';
import { stopEverythingOnSignals } from './measure/owned-process.ts';
import { Scratch } from './measure/scratch.ts';
import { median, quantile } from './measure/series.ts';
import { verdictOf } from './measure/target.ts';
import type { Topic, TopicResult } from './measure/topic.ts';
import { renderTopic } from './report/table.ts';
import { authorise } from './topics/authorise.ts';
import { policy, rego } from './topics/decisions.ts';
import { inspection } from './topics/inspection.ts';
import { memory } from './topics/memory.ts';
import { soak } from './topics/soak.ts';
import { spawn } from './topics/spawn.ts';
import { startup } from './topics/startup.ts';
import { tenants } from './topics/tenants.ts';
import { tunnel } from './topics/tunnel.ts';
import { workers } from './topics/workers.ts';

const TOPICS: readonly Topic[] = [
  startup,
  spawn,
  tunnel,
  workers,
  inspection,
  authorise,
  memory,
  tenants,
  policy,
  rego,
  soak,
];

const USAGE = `usage: npm run bench -- [--only NAME]... [--rounds N] [--quick] [--json FILE]

Measures OpenShell beside its peers, in alternation, and says which targets are met.

  --only NAME   one topic; can be repeated: ${TOPICS.map(({ name }) => name).join(', ')}
  --rounds N    how often everything is measured (default 4)
  --quick       a rough answer in about two minutes
  --json FILE   where the results go as well (default bench/results/TIME.json)
  --help        this text

Exit code: 0 when it measured, whatever the targets but those of the topic soak; 1 when it could not, or one of those is missed;
2 for wrong options.
bench/README.md says how to read the tables and how to get the peers.
`;

interface Options {
  readonly topics: readonly Topic[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string;
}

class UsageError extends Error {}

function readOptions(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const unknown = values.only?.find((name) => !TOPICS.some((topic) => topic.name === name));
  if (unknown !== undefined) throw new UsageError(`there is no topic ${unknown}`);
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 4));
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds needs a number from 1');
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  return {
    topics: TOPICS.filter(({ name }) => values.only?.includes(name) ?? true),
    rounds,
    quick: values.quick,
    json: values.json ?? `${ROOT}bench/results/${time}.json`,
  };
}

/** What is kept of a topic: the tables' numbers and every value they were made of. */
const recordOf = ({ series, targets }: TopicResult, notes: readonly string[]) => ({
  series: series.map((one) => ({
    ...one,
    median: median(one.values),
    low: quantile(one.values, 0.25),
    high: quantile(one.values, 0.75),
  })),
  targets: targets.map((target) => ({ ...target, verdict: verdictOf(target) })),
  notes,
});

async function measure({ topics, rounds, quick, json }: Options): Promise<void> {
  const scratch = new Scratch();
  const record: Record<string, unknown> = {
    at: new Date().toISOString(),
    node: process.version,
    processor: `${cpus().length} × ${cpus()[0]?.model}`,
  };
  buildPrograms();
  for (const topic of topics) {
    const notes = new Set<string>();
    const result = await topic.run({ rounds, quick, scratch, note: (text) => notes.add(text) });
    console.log(`${renderTopic(topic.title, result, [...notes])}\n`);
    if (result.targets.some((target) => target.required && verdictOf(target) === 'missed'))
      process.exitCode = 1;
    record[topic.name] = recordOf(result, [...notes]);
    mkdirSync(dirname(json), { recursive: true });
    writeFileSync(json, `${JSON.stringify(record, undefined, 1)}\n`); // after each topic: a stopped run keeps what it has
  }
}

stopEverythingOnSignals();
try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await measure(options);
} catch (error) {
  const wrongOptions = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  if (wrongOptions) process.stderr.write(USAGE);
  process.exit(wrongOptions ? 2 : 1);
}
