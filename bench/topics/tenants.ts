import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { median, type Series } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { ControlledProxy } from '../proxy/controlled-proxy.ts';
import { LoadGenerator, type LoadResult } from '../proxy/load.ts';
import { Origins } from '../proxy/origins.ts';
import {
  applyAll,
  BODIES,
  type Client,
  checkSeparation,
  clientWithCredentials,
  manyClients,
  ORIGIN,
  ownUrl,
  PORT,
  register,
  TUNNEL,
  wayOf,
} from '../tenants/many-tenants.ts';
import { NEIGHBOURS, type Neighbour, Pressure } from '../tenants/neighbours.ts';

const TENANTS = 1000;
const CONNECTIONS = 8;
const ALONE = 'alone';
const AMONG = `among ${TENANTS} tenants`;
const FLOOD = 'a neighbour at its event bound that never pauses';

/** One tenant whose requests are measured, in two proxies: by itself, and among the others. */
interface Bench {
  readonly alone: ControlledProxy;
  readonly crowd: ControlledProxy;
  readonly busy: Client;
  readonly neighbours: ReadonlyMap<Neighbour, Client>;
  readonly load: LoadGenerator;
  readonly seconds: number;
}

type Scene = readonly [name: string, measure: (bench: Bench) => Promise<LoadResult>];

const SCENES: readonly Scene[] = [
  [ALONE, ({ alone, ...bench }) => loadOf(alone, bench)],
  [AMONG, ({ crowd, ...bench }) => loadOf(crowd, bench)],
  ...NEIGHBOURS.map((neighbour): Scene => [neighbour.name, (bench) => besides(neighbour, bench)]),
  [FLOOD, flooded],
];

const NO_PORTS: ReadonlyMap<string, number> = new Map();

const loadOf = (
  proxy: ControlledProxy,
  { load, busy, seconds }: Pick<Bench, 'load' | 'busy' | 'seconds'>,
): Promise<LoadResult> =>
  load.run({ way: wayOf(busy, proxy, NO_PORTS), url: ownUrl(busy), connections: CONNECTIONS, seconds });

async function besides(neighbour: Neighbour, bench: Bench): Promise<LoadResult> {
  const { crowd, neighbours } = bench;
  const client = neighbours.get(neighbour)!;
  await using _pressure = await Pressure.begin(neighbour, wayOf(client, crowd, NO_PORTS));
  const result = await loadOf(crowd, bench);
  const { tenants } = await crowd.session.status();
  const report = tenants.find(({ id }) => id === client.id);
  if (report === undefined || !neighbour.wasAtBound(report)) throw new Error(`not so: ${neighbour.name}`);
  return result;
}

/** As many requests as it gets answered, on as many connections as the busy one: they share one core. */
async function flooded(bench: Bench): Promise<LoadResult> {
  const { crowd, neighbours, load, seconds } = bench;
  const client = [...neighbours.values()].at(-1)!;
  const [result] = await Promise.all([
    loadOf(crowd, bench),
    load.run({
      way: wayOf(client, crowd, NO_PORTS),
      url: `http://${ORIGIN}:${PORT}/of-nobody`,
      connections: CONNECTIONS,
      seconds,
    }),
  ]);
  return result;
}

async function run(context: TopicContext): Promise<TopicResult> {
  const load = LoadGenerator.build(context);
  if (load === undefined) return { series: [], references: {}, targets: [] };
  await using origins = new Origins();
  const [http, echo] = [await origins.http(), await origins.echo()];
  const args = [
    '--resolve',
    `${ORIGIN}=127.0.0.1:${http}`,
    '--resolve',
    `${BODIES}=127.0.0.1:${http}`,
  ].concat(['--resolve', `${TUNNEL}=127.0.0.1:${echo}`]);
  const start = (name: string): Promise<ControlledProxy> => {
    const directory = join(context.scratch.directory('tenants'), name);
    mkdirSync(directory);
    return ControlledProxy.start({ directory, args });
  };
  await using alone = await start('alone');
  await using crowd = await start('crowd');
  const busy = clientWithCredentials('busy');
  const neighbours = new Map(
    NEIGHBOURS.map((neighbour, index) => [
      neighbour,
      clientWithCredentials(`neighbour-${index}`, neighbour.limits),
    ]),
  );
  await register(alone, [busy]);
  await applyAll(alone, [busy], 1);
  const named = [busy, ...neighbours.values()];
  const costs = await populate(crowd, [...named, ...manyClients(TENANTS - named.length)]);
  const seconds = context.quick ? 2 : 3;
  const results = await measure(context, { alone, crowd, busy, neighbours, load, seconds });
  return {
    series: [...results.series, ...costs.series],
    references: results.references,
    targets: [...results.targets, ...costs.targets],
  };
}

async function measure(context: TopicContext, bench: Bench): Promise<TopicResult> {
  const found = new Map<string, LoadResult[]>(SCENES.map(([name]) => [name, []]));
  for (let round = 0; round < context.rounds; round++) {
    // There and back again, so that a drift of the machine is nobody's advantage.
    for (const [name, scene] of round % 2 === 0 ? SCENES : SCENES.toReversed()) {
      const result = await scene(bench);
      if (result.errors + result.non2xx > 0)
        context.note(`${name}: ${result.errors} failed and ${result.non2xx} refused requests`);
      found.get(name)!.push(result);
    }
  }
  const group = (title: string, unit: string, value: (result: LoadResult) => number): Series[] =>
    [...found].map(([name, results]) => ({ group: title, name, unit, values: results.map(value) }));
  const p99 = "a busy tenant's requests, p99";
  const latencies = group(p99, 'µs', ({ p99us }) => p99us);
  const titles = ["a busy tenant's requests a second", "a busy tenant's requests, p50", p99] as const;
  return {
    series: [
      ...group(titles[0], '/s', ({ rps }) => rps),
      ...group(titles[1], 'µs', ({ p50us }) => p50us),
      ...latencies,
    ],
    references: Object.fromEntries(titles.map((title) => [title, ALONE])),
    targets: latencies
      .filter(({ name }) => name !== ALONE && name !== FLOOD)
      .map(({ name, values }) => againstAlone(name, values, latencies[0]!.values)),
  };
}

/** The ratio is taken within each round. */
const againstAlone = (name: string, values: readonly number[], alone: readonly number[]): Target => ({
  what: `a busy tenant's p99, ${name}, against alone`,
  bound: 'at most',
  limit: 1.2,
  value: median(values.map((value, round) => value / alone[round]!)),
  unit: '×',
});

/** Registers all of them, gives each two policies one after the other, and finds out what they cost. */
async function populate(proxy: ControlledProxy, clients: readonly Client[]): Promise<TopicResult> {
  // What is loaded with the first is not the others'.
  const [first, ...others] = clients as [Client, ...Client[]];
  await register(proxy, [first]);
  await applyAll(proxy, [first], 1);
  const empty = await proxy.probe();
  const [registering, ports] = await timed(() => register(proxy, others));
  const [applying] = await timed(() => applyAll(proxy, others, 1));
  const full = await proxy.probe();
  const [again] = await timed(() => applyAll(proxy, others, 2));
  await checkSeparation(proxy, clients, ports);
  const each = (part: 'heapBytes' | 'externalBytes' | 'residentBytes'): number =>
    (full[part] - empty[part]) / others.length / 1024;
  const memory = 'memory of each idle tenant, with its policy';
  const time = `time for ${others.length} tenants over the control socket`;
  const one = (group: string, name: string, unit: string, value: number): Series => ({
    ...{ group, name, unit },
    values: [value],
  });
  return {
    series: [
      one(memory, 'on the heap', 'KiB', each('heapBytes') + each('externalBytes')),
      one(memory, 'resident', 'KiB', each('residentBytes')),
      one(time, 'registering', 'ms', registering),
      one(time, 'their first generations', 'ms', applying),
      one(time, 'their second generations', 'ms', again),
    ],
    references: {},
    targets: [
      {
        what: 'memory of each idle tenant on the heap',
        bound: 'at most',
        limit: 100,
        value: each('heapBytes') + each('externalBytes'),
        unit: 'KiB',
      },
    ],
  };
}

async function timed<Of>(run: () => Promise<Of>): Promise<readonly [number, Of]> {
  const start = performance.now();
  const result = await run();
  return [performance.now() - start, result];
}

export const tenants: Topic = {
  name: 'tenants',
  title: `One proxy with ${TENANTS} tenants, one of them busy`,
  run,
};
