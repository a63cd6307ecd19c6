import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { field } from '../http/request-head.ts';
import { newSpanId, newTraceId, traceParentOf, withTraceParent } from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const GOOD = `00-${TRACE}-${SPAN}-01`;

const fieldsOf = (...lines: readonly [string, string][]) => lines.map(([name, value]) => field(name, value));

describe('the traceparent of a client', () => {
  const understood: [string, string, number][] = [
    ['as it is written today', GOOD, 1],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, 0],
    ['with a random id', `00-${TRACE}-${SPAN}-03`, 3],
    ['with flags that are not defined, which are not passed on', `00-${TRACE}-${SPAN}-ff`, 3],
    ['of a later version', `cc-${TRACE}-${SPAN}-01`, 1],
    ['of a later version, with more behind it', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, 1],
  ];
  for (const [what, value, flags] of understood) {
    test(`is understood ${what}`, () => {
      const parent = traceParentOf(fieldsOf(['TraceParent', value]));
      assert.deepEqual(parent, { traceId: TRACE, spanId: SPAN, flags, state: undefined });
    });
  }

  const refused: [string, string][] = [
    ['is empty', ''],
    ['has a version that is none', `ff-${TRACE}-${SPAN}-01`],
    ['is in upper case', GOOD.toUpperCase()],
    ['has a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['has a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['is too short', GOOD.slice(0, -1)],
    ['has more behind it than its version knows', `${GOOD}-00`],
    ['has more behind it without a dash', `cc-${TRACE}-${SPAN}-01x`],
    ['has blanks in it', ` ${GOOD}`],
    ['has another separator', GOOD.replaceAll('-', '_')],
    ['holds several', `${GOOD}, ${GOOD}`],
    ['is far too long', `cc-${TRACE}-${SPAN}-01-${'a'.repeat(1000)}`],
    ['holds what could end a header field', `${GOOD}\r\nX: y`],
  ];
  for (const [what, value] of refused) {
    test(`begins nothing where it ${what}`, () => {
      assert.equal(traceParentOf(fieldsOf(['traceparent', value], ['tracestate', 'a=1'])), undefined);
    });
  }

  test('begins nothing where it comes twice', () => {
    assert.equal(traceParentOf(fieldsOf(['traceparent', GOOD], ['traceparent', GOOD])), undefined);
  });
});

describe('tracestate', () => {
  const stateOf = (...values: readonly string[]) =>
    traceParentOf(
      fieldsOf(['traceparent', GOOD], ...values.map((value) => ['tracestate', value] as [string, string])),
    )?.state;

  const kept: [string, string[], string][] = [
    ['as it came', ['rojo=00f067aa0ba902b7, congo=t61rcWkgMzE'], 'rojo=00f067aa0ba902b7, congo=t61rcWkgMzE'],
    ['of several fields, joined', ['a=1', 'b=2'], 'a=1,b=2'],
    ['with a tenant in its key', ['fw529a3039@dt=FfAAAA=='.replace('==', '')], 'fw529a3039@dt=FfAAAA'],
    ['with blanks within a value', ['a=x y'], 'a=x y'],
    ['with members that are empty', ['a=1,,b=2'], 'a=1,,b=2'],
  ];
  for (const [what, values, state] of kept) {
    test(`is passed on ${what}`, () => assert.equal(stateOf(...values), state));
  }

  const dropped: [string, string[]][] = [
    ['has no value', ['a']],
    ['has an empty value', ['a=']],
    ['has a key in upper case', ['A=1']],
    ['has a value with a second =', ['a=b=c']],
    ['has a control character', ['a=\u0001']],
    ['has a key twice', ['a=1', 'a=2']],
    ['has more members than there may be', [Array.from({ length: 33 }, (_, at) => `k${at}=1`).join()]],
    ['is longer than everybody passes on', [`a=${'x'.repeat(256)},b=${'x'.repeat(256)}`]],
    ['is nothing', ['']],
  ];
  for (const [what, values] of dropped) {
    test(`is dropped, and the trace is not, where it ${what}`, () => {
      assert.equal(stateOf(...values), undefined);
      const fields = values.map((value) => ['tracestate', value] as [string, string]);
      assert.equal(traceParentOf(fieldsOf(['traceparent', GOOD], ...fields))?.traceId, TRACE);
    });
  }

  test('is nothing without a traceparent', () => {
    assert.equal(traceParentOf(fieldsOf(['tracestate', 'a=1'])), undefined);
  });
});

test('what goes out replaces what came in, all of it', () => {
  const came = fieldsOf(
    ['Accept', '*/*'],
    ['traceparent', 'nonsense'],
    ['Tracestate', 'A'],
    ['TRACEPARENT', GOOD],
  );
  const parent = { traceId: TRACE, spanId: SPAN, flags: 1, state: 'a=1' };
  const sent = (fields: readonly { name: string; value: string }[]) =>
    fields.map(({ name, value }) => [name, value]);
  assert.deepEqual(sent(withTraceParent(came, parent)), [
    ['Accept', '*/*'],
    ['traceparent', GOOD],
    ['tracestate', 'a=1'],
  ]);
  assert.deepEqual(sent(withTraceParent(came, undefined)), [['Accept', '*/*']]);
});

test('ids are random, of their length, and readable as what they are', () => {
  const ids = new Set(Array.from({ length: 1000 }, newTraceId));
  const spans = new Set(Array.from({ length: 1000 }, newSpanId));
  assert.equal(ids.size + spans.size, 2000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  for (const id of spans) assert.match(id, /^[0-9a-f]{16}$/);
});
