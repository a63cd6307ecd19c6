import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needsProgram } from '../../support/paths.ts';
import { httpClients } from './cases/http.ts';
import { protocolClients } from './cases/protocols.ts';
import { toolClients } from './cases/tools.ts';
import type { ClientCase } from './client-case.ts';
import { ClientWorld } from './client-world.ts';

let world: ClientWorld;
before(async () => {
  world = await ClientWorld.start({ database: true });
});
after(() => world?.[Symbol.asyncDispose]());

const missing = ({ needs = [], unless = false }: ClientCase): string | false =>
  [...needs.map(needsProgram), unless].find((reason) => reason !== false) ?? false;

const includesAll = (all: readonly string[], expected: readonly string[] = []): void => {
  for (const entry of expected) assert.ok(all.includes(entry), `${entry} is not among ${all.join(', ')}`);
};

describe('a real client whose connections are opened', { concurrency: 3 }, () => {
  for (const attempts of [...httpClients, ...toolClients, ...protocolClients]) {
    const { client, allowed, refused } = attempts;
    const skip = missing(attempts);

    test(`${client} works where the policy allows it`, { skip }, async () => {
      const { code, stdout, stderr, requests } = await world.run(allowed.command, allowed);
      assert.match(stdout, allowed.shows, stderr);
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /openshell: refused/);
      includesAll(requests, allowed.requests);
      for (const entry of allowed.arrives) assert.ok(world.seen.has(entry), `${entry} did not arrive`);
    });

    test(`${client} is told what the policy does not allow`, { skip }, async () => {
      const { stdout, stderr, requests } = await world.run(refused.command, refused);
      const own = stderr.split('\n').filter((line) => line.startsWith('openshell: refused'));
      const client =
        stdout +
        stderr
          .split('\n')
          .filter((line) => !own.includes(line))
          .join('\n');
      assert.match(client, refused.shows, stderr);
      assert.match(own.join('\n'), refused.line);
      includesAll(requests, refused.requests);
      for (const entry of refused.arrives) assert.ok(!world.seen.has(entry), `${entry} arrived`);
    });
  }
});
