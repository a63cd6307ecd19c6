import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../checkout.ts';
import { startOwned, stop } from '../measure/owned-process.ts';
import type { Series } from '../measure/series.ts';
import type { TopicContext } from '../measure/topic.ts';
import { LoadGenerator } from '../proxy/load.ts';
import { Origins } from '../proxy/origins.ts';

export const GRAPHQL_GROUP = 'graphql-32: requests a second';
const CONNECTIONS = 32;
const SERVING = /serving on 127\.0\.0\.1:(\d+) /;

const POLICY = `version: 1
network_policies:
  api:
    endpoints:
      - { host: origin.test, port: 80, protocol: graphql, path: /graphql, access: read-only, enforcement: enforce }
`;

/** Some 4 KB, which the proxy parses for each request and which nobody else reads. */
const QUERY = `{${Array.from({ length: 50 }, (_, n) => `f${n}:repository(owner:"a",name:"b"){id name issues(first:9){nodes{id title}}}`).join('')}}`;
const TARGET = `http://origin.test:80/graphql?query=${QUERY.replaceAll(' ', '%20').replaceAll('"', '%22').replaceAll('{', '%7B').replaceAll('}', '%7D')}`;

/**
 * Requests whose inspection costs many times what generator and origin do with them: there the proxy is what is waited for, also where all of them
 * share two cores. Undefined where the generator cannot be built.
 */
export async function measureGraphql(
  context: TopicContext,
  names: Readonly<Record<string, number>>,
): Promise<readonly Series[] | undefined> {
  const load = LoadGenerator.build(context);
  if (load === undefined) return undefined;
  await using origins = new Origins();
  const origin = await origins.http();
  const directory = context.scratch.directory('graphql');
  mkdirSync(directory, { recursive: true });
  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, POLICY);
  const values = new Map<string, number[]>(Object.keys(names).map((name) => [name, []]));
  const own = [
    '--listen',
    '127.0.0.1:0',
    '--policy',
    policy,
    '--resolve',
    `origin.test:80=127.0.0.1:${origin}`,
  ];
  for (let round = 0; round < context.rounds; round += 1)
    for (const [name, workers] of round % 2 === 0 ? Object.entries(names) : Object.entries(names).reverse()) {
      const args = [...own, '--events', join(directory, 'events'), '--workers', String(workers)];
      const child = startOwned(`${ROOT}bin/openshell-proxy`, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      try {
        const way = { port: await portOf(child.stderr!) };
        const seconds = context.quick ? 3 : 8;
        // Each process has its own code to warm up.
        await load.run({ way, url: TARGET, connections: CONNECTIONS, seconds: 2 });
        const { rps, errors, non2xx } = await load.run({
          way,
          url: TARGET,
          connections: CONNECTIONS,
          seconds,
        });
        if (errors + non2xx > 0) throw new Error(`${errors} requests failed, ${non2xx} were refused`);
        values.get(name)!.push(rps);
      } finally {
        await stop(child);
      }
    }
  return [...values].map(([name, list]) => ({ group: GRAPHQL_GROUP, name, unit: '/s', values: list }));
}

async function portOf(stderr: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: stderr })) {
    const port = Number(SERVING.exec(line)?.[1]);
    if (port > 0) {
      stderr.resume();
      return port;
    }
  }
  throw new Error('the proxy did not start');
}
