import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxId } from '@openshell/base';
import { correlationOf, logFields } from './correlation.ts';
import type { SecurityEvent } from './event.ts';
import { configEvent } from './events/config.ts';
import { dnsRefusedEvent } from './events/dns.ts';
import { findingEvent } from './events/finding.ts';
import { httpEvent } from './events/http.ts';
import { networkEvent } from './events/network.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const common = { sandbox: sandboxId('box'), traceId, unmapped: { generation: 3 } };
const destination = { host: 'api.example.com', port: 443 };

const events: SecurityEvent[] = [
  networkEvent({ ...common, activity: 'open', destination }),
  httpEvent({ ...common, action: 'denied', method: 'GET', scheme: 'https', path: '/', destination }),
  findingEvent({ ...common, uid: 'x', title: 'x' }),
  dnsRefusedEvent({ ...common, name: 'x', type: 'A', rcode: 'Refused', reason: 'x' }),
  configEvent({ ...common, state: 'loaded', message: 'x' }),
];

for (const event of events) {
  test(`what an event belongs to stands in the same places: ${event.class_name}`, () => {
    assert.deepEqual(correlationOf(event), { tenant: 'box', generation: 3, traceId });
    assert.deepEqual(logFields(correlationOf(event)), { tenant: 'box', generation: 3, trace_id: traceId });
  });
}

test('an event that belongs to nothing says so', () => {
  const event = configEvent({ state: 'loaded', message: 'x', unmapped: { generation: 'three' } });
  assert.deepEqual(correlationOf(event), { tenant: undefined, generation: undefined, traceId: undefined });
});
