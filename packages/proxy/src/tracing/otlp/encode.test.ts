import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FinishedSpan } from '../span.ts';
import { encodeSpans } from './encode.ts';

const SPAN: FinishedSpan = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentId: '00f067aa0ba902b7',
  remoteParent: true,
  flags: 1,
  state: 'a=1',
  name: 'GET',
  kind: 'server',
  startedAt: 1_700_000_000_123.5,
  durationMs: 12.25,
  attributes: { text: 'x', whole: 5, part: 1.5, flag: true, absent: undefined },
  error: undefined,
};
const RESOURCE = { attributes: { 'service.name': 'openshell-proxy' } };
const BOUND = { spanTextLength: 16 };

const encoded = (span: Partial<FinishedSpan>) =>
  JSON.parse(encodeSpans([{ ...SPAN, ...span }], RESOURCE, BOUND)).resourceSpans[0].scopeSpans[0].spans[0];

// As JsonTraceSerializer of @opentelemetry/otlp-transformer writes the same span, without its counts of what was dropped.
test('a span is written as OpenTelemetry writes it', () => {
  assert.deepEqual(JSON.parse(encodeSpans([SPAN], RESOURCE, BOUND)), {
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: 'service.name', value: { stringValue: 'openshell-proxy'.slice(0, 16) } }],
        },
        scopeSpans: [
          {
            scope: { name: '@openshell/proxy' },
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: 'b7ad6b7169203331',
                parentSpanId: '00f067aa0ba902b7',
                traceState: 'a=1',
                flags: 0x301,
                name: 'GET',
                kind: 2,
                startTimeUnixNano: '1700000000123500000',
                endTimeUnixNano: '1700000000135750000',
                attributes: [
                  { key: 'text', value: { stringValue: 'x' } },
                  { key: 'whole', value: { intValue: 5 } },
                  { key: 'part', value: { doubleValue: 1.5 } },
                  { key: 'flag', value: { boolValue: true } },
                ],
                status: { code: 0 },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('what failed says how, and what began a trace has no parent', () => {
  const span = encoded({ error: 'policy_denied', parentId: undefined, remoteParent: false, kind: 'client' });
  assert.deepEqual(span.status, { code: 2, message: 'policy_denied' });
  assert.deepEqual(span.attributes.at(-1), { key: 'error.type', value: { stringValue: 'policy_denied' } });
  assert.deepEqual([span.parentSpanId, span.flags, span.kind], [undefined, 0x101, 3]);
});

test('texts of others are cut, and are texts afterwards', () => {
  const [text] = encoded({ attributes: { text: `${'x'.repeat(15)}\u{1f600}` } }).attributes;
  assert.equal(text.value.stringValue, `${'x'.repeat(15)}\ufffd`);
});
