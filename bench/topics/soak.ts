import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sandboxId } from '@openshell/base';
import { LIMITS } from '@openshell/proxy';
import { identityFor } from '../../packages/proxy/src/test-support/identities.ts';
import { SigningAuthority } from '../../packages/proxy/src/tls/authority.ts';
import type { Series } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { growth } from '../measure/trend.ts';
import { ControlledProxy } from '../proxy/controlled-proxy.ts';
import { Origins } from '../proxy/origins.ts';
import type { ProbeAnswer, ProbeOrder } from '../proxy/probe.ts';
import { KINDS, kindOf, manyRequests } from '../soak/connections.ts';
import { Upheaval } from '../soak/upheaval.ts';
import { HOSTS, policyOf, World } from '../soak/world.ts';

/** One a second for a day. */
const CONNECTIONS = 86_400;
const QUICK_CONNECTIONS = 8640;
const SAMPLES = 40;
const AT_ONCE = 16;
/** Within each part of the run between two samples. */
const UPHEAVALS = 4;
/** So much may memory grow in the second half of the run: less than 13 bytes a connection, of a heap that wavers by some hundred KiB. */
const MAX_HEAP_GROWTH_MIB = 0.5;
/** In a tenth of the run the kept events of the warm-up are still being replaced by larger ones of the run itself. */
const MAX_QUICK_HEAP_GROWTH_MIB = 2;
/** The allocator's own to and fro is in it. */
const MAX_RESIDENT_GROWTH_MIB = 8;
/** Until nothing is left of the last connections, in ms; as long as idle connections to upstreams are kept, and some more. */
const SETTLE_MS = 45_000;
const POLL_MS = 50;
const TENANT = 'soak';

interface Sample extends ProbeAnswer {
  /** Connections before it. */
  readonly at: number;
}

/** The proxy, what is behind it, and who goes through it. */
interface Bench {
  readonly proxy: ControlledProxy;
  readonly origins: Origins;
  readonly world: World;
  readonly upheaval: Upheaval;
  /** Why connections did not go as they should, and how often. */
  readonly failures: Map<string, number>;
}

async function run(context: TopicContext): Promise<TopicResult> {
  await using stack = new AsyncDisposableStack();
  const bench = await start(context, stack);
  const { proxy, failures } = bench;
  // Everything that is loaded or made once is there, and the bounded record of events is full.
  await drive(bench, 0, AT_ONCE * 25);
  await fillEvents(bench);
  bench.origins.endConnections();
  await settled(bench, undefined);
  const before = await proxy.probe();
  const total = context.quick ? QUICK_CONNECTIONS : CONNECTIONS;
  const samples: Sample[] = [];
  const startedAt = performance.now();
  for (let part = 0; part < SAMPLES; part++) {
    const [from, to] = [part, part + 1].map((edge) => Math.round((total * edge) / SAMPLES)) as [
      number,
      number,
    ];
    await drive(bench, from, to);
    await settled(bench, undefined);
    samples.push({ at: to, ...(await proxy.probe(snapshotAt(part))) });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  bench.origins.endConnections();
  const after = await settled(bench, before);
  if (!proxy.isRunning) throw new Error('the proxy ended by itself');
  for (const [why, count] of failures) context.note(`${count} ×: ${why}`);
  context.note(
    `${total} connections in ${seconds.toFixed(0)} s; of a hundred ${KINDS.map(({ name, share }) => `${share} ${name}`).join(', ')}`,
  );
  context.note(
    `meanwhile ${SAMPLES * UPHEAVALS} times each: two new policies, a step of a rotation of the authority, a tenant that came and went, two readers of events`,
  );
  return resultOf(samples, {
    before,
    after,
    failed: sum(failures.values()),
    heapGrowth: context.quick ? MAX_QUICK_HEAP_GROWTH_MIB : MAX_HEAP_GROWTH_MIB,
  });
}

/** Where the environment says where to, the heap at the beginning and the end of the second half is written down. */
function snapshotAt(part: number): ProbeOrder {
  const directory = process.env.SOAK_SNAPSHOTS;
  if (directory === undefined || (part !== SAMPLES / 2 && part !== SAMPLES - 1)) return {};
  return { snapshot: join(directory, `soak-${part}.heapsnapshot`) };
}

async function start({ scratch }: TopicContext, stack: AsyncDisposableStack): Promise<Bench> {
  const directory = scratch.directory('soak');
  const origins = stack.use(new Origins());
  const authority = SigningAuthority.create();
  const trusted = join(directory, 'upstream.pem');
  writeFileSync(trusted, authority.certificatePem);
  const places = {
    [HOSTS.http]: await origins.http(),
    [HOSTS.https]: await origins.https(identityFor(authority, HOSTS.https)),
    [HOSTS.echo]: await origins.echo(),
  };
  const resolve = Object.entries(places).flatMap(([name, port]) => [
    '--resolve',
    `${name}=127.0.0.1:${port}`,
  ]);
  const proxy = stack.use(
    await ControlledProxy.start({ directory, args: ['--upstream-ca', trusted, ...resolve] }),
  );
  await proxy.session.registerTenant({
    id: sandboxId(TENANT),
    recognitions: [{ kind: 'source', network: '127.0.0.1/32' }],
    identity: 'not-required',
  });
  await proxy.apply(TENANT, policyOf(1));
  const world = new World(proxy, { port: proxy.port });
  await world.learnTrust();
  return { proxy, origins, world, upheaval: new Upheaval(proxy, world, TENANT), failures: new Map() };
}

/** Makes these connections, some at one time, with controllers at work in between. */
async function drive({ world, upheaval, failures }: Bench, from: number, to: number): Promise<void> {
  const fail = (who: string, thrown: unknown): void => {
    const why = `${who}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    failures.set(why, (failures.get(why) ?? 0) + 1);
  };
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) {
      const index = next++;
      const kind = kindOf(index);
      await kind.run(world, index).catch((thrown: unknown) => fail(kind.name, thrown));
    }
  };
  const controller = async (): Promise<void> => {
    for (let turn = 0; turn < UPHEAVALS; turn++)
      await upheaval.once().catch((thrown: unknown) => fail('a controller', thrown));
  };
  await Promise.all([controller(), ...Array.from({ length: AT_ONCE }, worker)]);
}

/** What the proxy keeps of events for readers is bounded; until that is full it grows, and is meant to. */
async function fillEvents({ proxy, world }: Bench): Promise<void> {
  const wanted = LIMITS.controlEvents.value;
  while ((await proxy.session.status()).lastEvent < wanted)
    await Promise.all(Array.from({ length: AT_ONCE }, () => manyRequests(world, 250)));
}

/** Waits until no connection is open, and, where a state is given, no more descriptors than then. What it is in the end, whatever that is. */
async function settled({ proxy }: Bench, before: ProbeAnswer | undefined): Promise<ProbeAnswer> {
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    const { tenants } = await proxy.session.status();
    const isQuiet = sum(tenants.map(({ connections }) => connections)) === 0;
    const answer = isQuiet || performance.now() > until ? await proxy.probe() : undefined;
    if (
      answer !== undefined &&
      (before === undefined || performance.now() > until || hasLeft(before, answer).length === 0)
    )
      return answer;
    await delay(POLL_MS);
  }
}

/** What keeps the process alive and did not before, and descriptors. */
function hasLeft(before: ProbeAnswer, after: ProbeAnswer): readonly string[] {
  const more = Object.entries(after.resources)
    .map(([kind, count]) => [kind, count - (before.resources[kind] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  const files = after.openFiles - before.openFiles;
  return [
    ...more.map(([kind, count]) => `${count} ${kind}`),
    ...(files > 0 ? [`${files} file descriptors`] : []),
  ];
}

interface Ends {
  readonly before: ProbeAnswer;
  readonly after: ProbeAnswer;
  readonly failed: number;
  /** The bound of it, in MiB. */
  readonly heapGrowth: number;
}

const MIB = 1024 * 1024;
const heapOf = ({ heapBytes, externalBytes }: ProbeAnswer): number => (heapBytes + externalBytes) / MIB;
const residentOf = ({ residentBytes }: ProbeAnswer): number => residentBytes / MIB;

function resultOf(samples: readonly Sample[], { before, after, failed, heapGrowth }: Ends): TopicResult {
  const half = samples.length / 2;
  const halves = [
    ['first half', samples.slice(0, half)],
    ['second half', samples.slice(half)],
  ] as const;
  const rows = (what: string, value: (sample: Sample) => number, unit: string): Series[] =>
    halves.map(([name, part]) => ({ group: what, name, unit, values: part.map(value) }));
  const growthOf = (value: (sample: Sample) => number): number =>
    growth(samples.slice(half).map((sample) => ({ at: sample.at, value: value(sample) })));
  const files = 'open file descriptors with no connection';
  return {
    series: [
      ...rows('heap and what it holds, after a collection', heapOf, 'MiB'),
      ...rows('resident, after a collection', residentOf, 'MiB'),
      { group: files, name: 'before', unit: '', values: [before.openFiles] },
      { group: files, name: 'at the end', unit: '', values: [after.openFiles] },
    ],
    references: {},
    targets: [
      bounded('connections and control calls that did not go as they should', failed, 0, ''),
      bounded('growth of the heap over the second half', growthOf(heapOf), heapGrowth, 'MiB'),
      bounded(
        'growth of the resident memory over the second half',
        growthOf(residentOf),
        MAX_RESIDENT_GROWTH_MIB,
        'MiB',
      ),
      bounded('file descriptors that are left', after.openFiles - before.openFiles, 0, ''),
      bounded(
        'handles, requests and timers that are left',
        sum(Object.values(after.resources)) - sum(Object.values(before.resources)),
        0,
        '',
      ),
    ],
  };
}

const bounded = (what: string, value: number, limit: number, unit: string): Target => ({
  ...{ what, bound: 'at most', limit, value, unit },
  required: true,
});

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

export const soak: Topic = {
  name: 'soak',
  title: 'A day of connections, one after the other as fast as they go: what is left of them?',
  run,
};
