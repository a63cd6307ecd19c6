import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { generation, sandboxId } from '@openshell/base';
import type { ProxyStatus, TenantReport } from '@openshell/control';
import { renderExposition } from './exposition.ts';
import { renderMetrics } from './metrics.ts';

interface Family {
  readonly kind: string;
  readonly samples: Map<string, number>;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^\\"\n]|\\[\\"n])*)"/;

/**
 * The text format as its documentation defines it, without leniency: HELP before TYPE before samples, samples of one name together, no
 * series twice, escapes as listed, one line feed at the end of each line. Keys are names with their labels, unescaped and sorted.
 */
function parse(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line ends with a line feed');
  const families = new Map<string, Family>();
  let current: { name: string; help: boolean; kind?: string; samples: Map<string, number> } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, what, name = '', rest = ''] = comment;
      if (what === 'HELP') {
        assert.ok(!families.has(name), `${name} twice`);
        assert.doesNotMatch(rest.replaceAll(/\\[\\n]/g, ''), /\\/);
        current = { name, help: true, samples: new Map() };
        continue;
      }
      assert.equal(current?.name, name, 'TYPE follows HELP of the same name');
      assert.ok(['counter', 'gauge'].includes(rest));
      families.set(name, { kind: rest, samples: current!.samples });
      continue;
    }
    const name = NAME.exec(line)?.[0] ?? assert.fail(`no name: ${line}`);
    assert.equal(name, current?.name, 'samples of one name stand together');
    let rest = line.slice(name.length);
    const labels: [string, string][] = [];
    if (rest.startsWith('{')) {
      rest = rest.slice(1);
      while (!rest.startsWith('}')) {
        const [whole, label, value] = LABEL.exec(rest) ?? assert.fail(`no label: ${rest}`);
        labels.push([label!, value!.replaceAll(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))]);
        rest = rest.slice(whole.length).replace(/^,(?=[a-zA-Z_])/, '');
      }
      rest = rest.slice(1);
    }
    const value = /^ ([+-]?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|Inf)|NaN)$/.exec(rest)?.[1];
    assert.ok(value !== undefined, `no value: ${line}`);
    const key = JSON.stringify(labels.sort(([a], [b]) => (a < b ? -1 : 1)));
    assert.ok(!current!.samples.has(key), `the series ${name}${key} twice`);
    current!.samples.set(key, Number(value.replace('Inf', 'Infinity')));
  }
  for (const [name, { kind }] of families)
    assert.equal(kind === 'counter', name.endsWith('_total'), `${name} is a ${kind}`);
  return families;
}

const tenant = (id: string, installed: boolean): TenantReport => ({
  id: sandboxId(id),
  ...(installed && {
    installed: {
      tenant: sandboxId(id),
      generation: generation(3),
      hash: 'aa',
      parts: { policy: 'bb' },
      policyHash: 'cc',
      installedAt: 1_700_000_000_500,
    },
  }),
  listening: [],
  connections: 2,
  handshakes: 1,
  heldBytes: 10,
  counters: {
    accepted: 9,
    shed: 1,
    connectionsAllowed: 5,
    connectionsDenied: 3,
    requestsAllowed: 7,
    requestsDenied: 6,
    upstreamFailures: 4,
    bytesIn: 1e21,
    bytesOut: 20,
    events: 30,
    eventsLost: 0,
  },
});

const status = (changes: Partial<ProxyStatus> = {}): ProxyStatus => ({
  instance: 'abc',
  version: '0.1.0',
  state: 'ready',
  denyAll: false,
  startedAt: 1_700_000_000_000,
  tenants: [],
  workers: [
    {
      index: 0,
      pid: 1,
      restarts: 2,
      connections: 3,
      residentBytes: 4,
      cpuSeconds: 0.25,
      eventLoopLagMs: 1500,
      openFiles: 5,
    },
  ],
  lastEvent: 12,
  ...changes,
});

describe('metrics', () => {
  test('are what Prometheus reads, in its units', () => {
    const families = parse(renderMetrics(status({ tenants: [tenant('a', true), tenant('b', false)] })));
    const at = (name: string, labels: readonly (readonly [string, string])[] = []) =>
      families.get(`openshell_proxy_${name}`)?.samples.get(JSON.stringify(labels));
    assert.equal(
      at('info', [
        ['instance', 'abc'],
        ['version', '0.1.0'],
      ]),
      1,
    );
    assert.equal(at('ready'), 1);
    assert.equal(at('tenants'), 2);
    assert.equal(at('tenants_without_generation'), 1);
    assert.equal(at('start_time_seconds'), 1_700_000_000);
    assert.equal(at('worker_event_loop_lag_seconds', [['worker', '0']]), 1.5);
    assert.equal(at('tenant_generation', [['tenant', 'a']]), 3);
    assert.equal(at('tenant_generation', [['tenant', 'b']]), 0);
    assert.equal(at('tenant_generation_installed_timestamp_seconds', [['tenant', 'a']]), 1_700_000_000.5);
    assert.equal(at('tenant_generation_installed_timestamp_seconds', [['tenant', 'b']]), undefined);
    assert.equal(at('tenant_received_bytes_total', [['tenant', 'a']]), 1e21);
    assert.equal(
      at('tenant_request_decisions_total', [
        ['decision', 'denied'],
        ['tenant', 'a'],
      ]),
      6,
    );
    assert.equal(at('authority_not_after_timestamp_seconds'), undefined);
  });

  test('are all in the documentation for operators', () => {
    const docs = readFileSync(new URL('../../../../docs/proxy.md', import.meta.url), 'utf8');
    const all = status({ tenants: [tenant('a', true)], authorityNotAfter: 1 });
    for (const name of parse(renderMetrics(all)).keys())
      assert.ok(docs.includes(`\`${name.replace('openshell_proxy_', '')}\``), name);
  });

  test('of a proxy without tenants are no empty families', () => {
    const families = parse(renderMetrics(status()));
    assert.ok(!families.has('openshell_proxy_tenant_connections'));
  });

  test('keep a hostile name within its label', () => {
    const id = 'a"} 1\nopenshell_proxy_ready 0\n\\{x="\ud800';
    const families = parse(renderMetrics(status({ tenants: [tenant(id, true)] })));
    assert.equal(families.get('openshell_proxy_ready')?.samples.get('[]'), 1);
    const key = JSON.stringify([['tenant', id.toWellFormed()]]);
    assert.equal(families.get('openshell_proxy_tenant_connections')?.samples.get(key), 2);
  });

  test('numbers that are none have names', () => {
    const samples = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value, index) => ({
      labels: { i: String(index) },
      value,
    }));
    const text = renderExposition([{ name: 'a', kind: 'gauge', help: 'b\nc\\', samples }]);
    assert.equal(text, '# HELP a b\\nc\\\\\n# TYPE a gauge\na{i="0"} NaN\na{i="1"} +Inf\na{i="2"} -Inf\n');
  });
});
