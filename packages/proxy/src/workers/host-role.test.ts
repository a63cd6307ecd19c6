import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generation, sandboxId } from '@openshell/base';
import { ControlRefusal, type GenerationParts, PROTOCOL } from '@openshell/control';
import { type HostFixture, hostOf } from '../control/testing/host.ts';

const TENANT = sandboxId('build');
const HELLO = { name: 'first', protocol: PROTOCOL, role: 'controller' } as const;

const PARTS: GenerationParts = {
  policy: {
    kind: 'text',
    name: 'policy.yaml',
    text: 'version: 1\nnetwork_policies:\n  a:\n    endpoints: [{ host: api.example, port: 443, protocol: rest, access: full }]\n',
  },
};

const REFRESHED: GenerationParts = {
  ...PARTS,
  credentials: {
    kind: 'text',
    name: 'credentials.yaml',
    text: `credentials:
  - name: TOKEN
    oauth2: { token_url: "https://issuer.example/token", client_id: me, grant: refresh_token, refresh_token: { env: REFRESH } }
    bindings: [{ host: api.example }]
`,
  },
  secrets: { kind: 'values', revision: 'r1', values: new Map([['REFRESH', 'a-refresh-token']]) },
};

async function operationsOf({ host }: HostFixture) {
  const operations = host.operations({ sources: 'pushed', name: 'test' }, HELLO);
  await operations.registerTenant({
    id: TENANT,
    recognitions: [{ kind: 'source', network: '127.0.0.0/8' }],
    identity: 'not-required',
  });
  return operations;
}

test('a generation has the number and the time that it has in the other workers, and the next one counts on', async () => {
  await using fixture = await hostOf({ role: 'worker' });
  const operations = await operationsOf(fixture);
  const order = { tenant: TENANT, parts: PARTS, mode: 'install' } as const;
  const { installed } = await operations.apply(order, { generation: generation(7), installedAt: 1234 });
  assert.deepEqual([installed.generation, installed.installedAt], [7, 1234]);
  const parts = { policy: { kind: 'text', name: 'other', text: 'version: 1\n' } } as const;
  assert.equal((await operations.apply({ ...order, parts })).installed.generation, 8);
});

test('a refresh token is refused by one of several processes, and taken by the only one', async () => {
  const order = { tenant: TENANT, parts: REFRESHED, mode: 'install' } as const;
  await using worker = await hostOf({ role: 'worker' });
  const refusal = await (await operationsOf(worker)).apply(order).catch((thrown: unknown) => thrown);
  assert.ok(refusal instanceof ControlRefusal);
  assert.equal(refusal.code, 'generation_refused');
  assert.match(refusal.problems.map(({ message }) => message).join(), /several processes cannot share one/);
  await using whole = await hostOf();
  const applied = await (await operationsOf(whole)).apply(order);
  assert.equal(applied.installed.generation, 1);
});

test('what controllers do is recorded by the first process, and by no worker', async () => {
  for (const [role, expected] of [
    ['worker', 0],
    ['whole', 2],
  ] as const) {
    await using fixture = await hostOf({ role });
    await (await operationsOf(fixture)).apply({ tenant: TENANT, parts: PARTS, mode: 'install' });
    assert.equal(fixture.events.length, expected, role);
  }
});
