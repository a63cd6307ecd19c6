import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import type { SecurityEvent } from '../event.ts';
import { configEvent } from './config.ts';
import { dnsRefusedEvent } from './dns.ts';
import { findingEvent } from './finding.ts';
import { httpEvent } from './http.ts';
import { lifecycleEvent } from './lifecycle.ts';
import { networkEvent } from './network.ts';
import { processEvent } from './process.ts';

const destination = { host: 'api.example.com', port: 443 };

const table: [string, SecurityEvent, { class_uid: number; type_uid: number; severity_id: number }][] = [
  [
    'open',
    networkEvent({ activity: 'open', action: 'allowed', destination }),
    { class_uid: 4001, type_uid: 400101, severity_id: 1 },
  ],
  [
    'close',
    networkEvent({ activity: 'close', destination }),
    { class_uid: 4001, type_uid: 400102, severity_id: 1 },
  ],
  [
    'fail',
    networkEvent({ activity: 'fail', destination }),
    { class_uid: 4001, type_uid: 400104, severity_id: 2 },
  ],
  [
    'refuse',
    networkEvent({ activity: 'refuse', destination }),
    { class_uid: 4001, type_uid: 400105, severity_id: 3 },
  ],
  [
    'traffic',
    networkEvent({ activity: 'traffic', destination }),
    { class_uid: 4001, type_uid: 400106, severity_id: 1 },
  ],
  [
    'http get',
    httpEvent({ action: 'allowed', destination, method: 'GET', scheme: 'https', path: '/' }),
    { class_uid: 4002, type_uid: 400203, severity_id: 1 },
  ],
  [
    'http unusual method',
    httpEvent({ action: 'denied', destination, method: 'BREW', scheme: 'https', path: '/' }),
    { class_uid: 4002, type_uid: 400299, severity_id: 3 },
  ],
  [
    'dns',
    dnsRefusedEvent({ name: 'x.org', type: 'A', rcode: 'NXDomain', reason: 'no' }),
    { class_uid: 4003, type_uid: 400302, severity_id: 2 },
  ],
  [
    'launch',
    processEvent({ activity: 'launch', process: { name: 'sh', pid: 2 } }),
    { class_uid: 1007, type_uid: 100701, severity_id: 1 },
  ],
  [
    'terminate',
    processEvent({ activity: 'terminate', process: { name: 'sh' }, exitCode: 1 }),
    { class_uid: 1007, type_uid: 100702, severity_id: 1 },
  ],
  [
    'finding',
    findingEvent({ uid: 'bypass-detect', title: 'x' }),
    { class_uid: 2004, type_uid: 200401, severity_id: 3 },
  ],
  [
    'config',
    configEvent({ state: 'loaded', message: 'x' }),
    { class_uid: 5019, type_uid: 501901, severity_id: 1 },
  ],
  [
    'start',
    lifecycleEvent({ activity: 'start', app: 'x' }),
    { class_uid: 6002, type_uid: 600203, severity_id: 1 },
  ],
  [
    'failed stop',
    lifecycleEvent({ activity: 'stop', app: 'x', status: 'failure' }),
    { class_uid: 6002, type_uid: 600204, severity_id: 4 },
  ],
];

describe('events', () => {
  for (const [name, event, expected] of table) {
    test(`${name} has the class, type and severity that OCSF gives it`, () => {
      const { class_uid, type_uid, severity_id } = event;
      assert.deepEqual({ class_uid, type_uid, severity_id }, expected);
      assert.equal(event.metadata.version, '1.8.0');
      assert.deepEqual(event.metadata.product, { name: 'OpenShell', vendor_name: 'OpenShell' });
      assert.ok(Number.isInteger(event.time));
    });
  }

  test('an event names its sandbox, process, rule and traffic', () => {
    const event = networkEvent({
      activity: 'close',
      sandbox: sandboxId('box-1'),
      time: 5,
      process: { name: 'curl', pid: 12, path: '/usr/bin/curl', sha256: 'ab' },
      source: { host: '127.0.0.1', port: 999 },
      destination,
      rule: { name: 'api', type: 'builtin' },
      traffic: { in: 3, out: 4 },
      durationMs: 7,
    });
    assert.equal(event.metadata.tenant_uid, 'box-1');
    assert.deepEqual(event.actor?.process, {
      name: 'curl',
      pid: 12,
      file: {
        name: 'curl',
        path: '/usr/bin/curl',
        hashes: [{ algorithm: 'SHA-256', algorithm_id: 3, value: 'ab' }],
      },
    });
    assert.deepEqual(event.src_endpoint, { ip: '127.0.0.1', port: 999 });
    assert.deepEqual(event.dst_endpoint, { domain: 'api.example.com', port: 443 });
    assert.deepEqual(event.traffic, { bytes_in: 3, bytes_out: 4, bytes: 7 });
    assert.equal(event.duration, 7);
  });

  test('a request has its answer, size, duration, version, rule and trace', () => {
    const event = httpEvent({
      action: 'allowed',
      destination,
      method: 'POST',
      scheme: 'https',
      path: '/v1',
      version: '2',
      status: 201,
      rule: { name: 'api', type: 'builtin', place: 'network_policies.api.endpoints[0]' },
      traffic: { in: 3, out: 4 },
      durationMs: 7,
      traceId: 'ab',
    });
    const plain = JSON.parse(JSON.stringify(event));
    assert.equal(plain.http_request.version, '2');
    assert.deepEqual(plain.http_response, { code: 201 });
    assert.deepEqual(plain.traffic, { bytes_in: 3, bytes_out: 4, bytes: 7 });
    assert.equal(plain.duration, 7);
    assert.deepEqual(plain.trace, { uid: 'ab' });
    assert.deepEqual(plain.firewall_rule, {
      name: 'api',
      type: 'builtin',
      uid: 'network_policies.api.endpoints[0]',
    });
  });

  test('a request that got no answer has none, and nothing else that is not known', () => {
    const event = httpEvent({ action: 'failed', destination, method: 'GET', scheme: 'http', path: '/' });
    const absent = ['http_response', 'traffic', 'duration', 'trace', 'firewall_rule', 'actor', 'unmapped'];
    const plain = JSON.parse(JSON.stringify(event));
    for (const name of absent) assert.ok(!(name in plain), name);
  });

  test('the query of a URL is never recorded', () => {
    const event = httpEvent({
      action: 'allowed',
      destination,
      method: 'GET',
      scheme: 'https',
      path: '/a?token=secret#frag',
    });
    assert.equal(event.http_request.url.path, '/a');
    assert.ok(!JSON.stringify(event).includes('secret'));
  });
});
