import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemorySink } from '@openshell/audit';
import { OpenShellError, sandboxId } from '@openshell/base';
import { Outage } from './outage.ts';
import type { LinkState } from './proxy-link.ts';
import { Readiness } from './readiness.ts';

const [OURS, THEIRS] = ['a'.repeat(64), 'b'.repeat(64)];
const ready = (policyHash: string, more: { generation?: number; authorityPem?: string } = {}): LinkState => ({
  ...{ kind: 'ready', generation: 1, policyHash, authorityPem: 'PEM', environment: {} },
  ...more,
});
const lost = (code: string): LinkState => ({
  kind: 'lost',
  error: new OpenShellError(`it is ${code}`, { code }),
});

describe('a sandbox', () => {
  const starting = (policyHash: string | undefined): { readiness: Readiness; said: string[] } => {
    const said: string[] = [];
    return { said, readiness: new Readiness({ policyHash, onWaiting: (why) => said.push(why) }) };
  };

  test('starts under its own policy and no other, and says what it waits for once each', async () => {
    const { readiness, said } = starting(OURS);
    for (const state of [
      { kind: 'lost' },
      lost('link_unreachable'),
      lost('link_unreachable'),
      { kind: 'waiting', why: 'nothing is installed' },
      ready(THEIRS),
    ] as const)
      readiness.enter(state);
    await assert.rejects(readiness.within(0.001), (error: OpenShellError) => {
      assert.equal(error.code, 'proxy_not_ready');
      assert.match(error.message, /enforces policy bbbbbbbbbbbb, and this sandbox is for aaaaaaaaaaaa/);
      return true;
    });
    readiness.enter(ready(OURS));
    assert.equal((await readiness.within(1)).policyHash, OURS);
    assert.deepEqual(said.slice(0, 2), ['it is link_unreachable', 'nothing is installed']);
    assert.equal(said.length, 3);
  });

  test('without a policy of its own takes what the proxy enforces', async () => {
    const { readiness } = starting(undefined);
    readiness.enter(ready(THEIRS));
    assert.equal((await readiness.within(1)).policyHash, THEIRS);
  });

  test('does not wait for what cannot become better', async () => {
    const { readiness } = starting(OURS);
    readiness.enter(lost('link_untrusted'));
    await assert.rejects(readiness.within(60), { code: 'link_untrusted' });
  });
});

test('an outage is said once, and its end once; other generations are events, other authorities are said', () => {
  const said: string[] = [];
  const sink = new MemorySink(100);
  const outage = new Outage({
    ...{ id: sandboxId('box'), proxy: { host: '::1', port: 1 } },
    ...{ say: (line: string) => void said.push(line), events: (event) => void sink.write(event) },
  });
  for (const state of [
    ready(OURS),
    lost('link_lost'),
    lost('link_unreachable'),
    { kind: 'waiting', why: 'nothing is installed' },
    ready(OURS),
    ready(THEIRS, { generation: 2 }),
    ready(THEIRS, { generation: 2, authorityPem: 'OTHER' }),
  ] as const)
    outage.enter(state);
  assert.equal(said.length, 3);
  assert.match(
    said.join('\n'),
    /refused until .*link_lost\n.*\[::1\]:1 is back.*\n.*other certificate authorities/,
  );
  assert.deepEqual(
    sink.events.map((event) => 'state' in event && event.state),
    ['loaded', 'proxy_lost', 'proxy_back', 'loaded', 'authority_changed'],
  );
});
