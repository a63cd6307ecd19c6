import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SecurityEvent } from './event.ts';
import { configEvent } from './events/config.ts';
import { dnsRefusedEvent } from './events/dns.ts';
import { findingEvent } from './events/finding.ts';
import { httpEvent } from './events/http.ts';
import { lifecycleEvent } from './events/lifecycle.ts';
import { networkEvent } from './events/network.ts';
import { processEvent } from './events/process.ts';
import { eventLine } from './line.ts';
import { contextText, plainText, quotedText, truncated } from './text.ts';

const process = { name: 'curl', pid: 12 };
const rule = { name: 'api', type: 'builtin' };

const table: [SecurityEvent, string][] = [
  [
    networkEvent({
      activity: 'open',
      action: 'allowed',
      process,
      destination: { host: 'h.example', port: 443 },
      rule,
    }),
    'NET:OPEN [INFO] ALLOWED curl(12) -> h.example:443 [policy:api engine:builtin]',
  ],
  [
    networkEvent({
      activity: 'refuse',
      process,
      destination: { host: 'h.example', port: 1 },
      reason: 'no policy',
    }),
    'NET:REFUSE [MED] DENIED curl(12) -> h.example:1 [reason:no policy]',
  ],
  [
    networkEvent({
      activity: 'close',
      destination: { host: '2606:4700::1', port: 443 },
      traffic: { in: 1, out: 2 },
      durationMs: 3,
    }),
    'NET:CLOSE [INFO] -> [2606:4700::1]:443 [in:1 out:2 ms:3]',
  ],
  [
    networkEvent({
      activity: 'fail',
      process: { name: 'nc' },
      destination: { host: '1.2.3.4', port: 9 },
      reason: 'refused',
    }),
    'NET:FAIL [LOW] nc -> 1.2.3.4:9 [reason:refused]',
  ],
  [
    httpEvent({
      action: 'audited',
      process,
      destination: { host: 'h', port: 443 },
      method: 'POST',
      scheme: 'https',
      path: '/graphql',
      status: 200,
      rule: { ...rule, place: 'p.endpoints[0]' },
      traffic: { in: 1, out: 2 },
      durationMs: 3,
      traceId: 'ab',
      reason: 'only watched',
      unmapped: { operation: 'query A { [x] }', credentials: ['TOKEN', 'B'], operations: [] },
    }),
    'HTTP:POST [LOW] OBSERVED curl(12) -> POST https://h/graphql [status:200 policy:api rule:p.endpoints\\[0\\] engine:builtin op:"query A { \\[x\\] }" credentials:TOKEN,B in:1 out:2 ms:3 trace:ab] [reason:only watched]',
  ],
  [
    httpEvent({
      action: 'failed',
      destination: { host: 'h', port: 80 },
      method: 'GET',
      scheme: 'http',
      path: '/',
      status: 502,
      reason: 'no route',
    }),
    'HTTP:GET [LOW] FAILED GET http://h/ [status:502] [reason:no route]',
  ],
  [
    httpEvent({
      action: 'denied',
      process,
      destination: { host: 'h', port: 8080 },
      method: 'GET',
      scheme: 'http',
      path: '/x?y',
      reason: 'r',
    }),
    'HTTP:GET [MED] DENIED curl(12) -> GET http://h:8080/x [reason:r]',
  ],
  [
    dnsRefusedEvent({ name: 'evil.example', type: 'A', rcode: 'NXDomain', reason: 'no policy' }),
    'DNS:RESPONSE [LOW] DENIED evil.example A [rcode:NXDomain] [reason:no policy]',
  ],
  [
    processEvent({ activity: 'terminate', process, exitCode: 3, commandLine: 'curl "x"\n' }),
    'PROC:TERMINATE [INFO] curl(12) [exit:3] [cmd:"curl \\"x\\"\\n"]',
  ],
  [
    findingEvent({ uid: 'bypass-detect', title: 'Bypass', action: 'denied', count: 4 }),
    'FINDING:BLOCKED [MED] "Bypass" [type:bypass-detect count:4 confidence:high]',
  ],
  [
    configEvent({ state: 'loaded', message: 'policy loaded', unmapped: { version: 2 } }),
    'CONFIG:LOADED [INFO] policy loaded [version:2]',
  ],
  [
    lifecycleEvent({ activity: 'start', app: 'openshell-proxy' }),
    'LIFECYCLE:START [INFO] openshell-proxy Success',
  ],
];

describe('the line of an event', () => {
  for (const [event, expected] of table) {
    test(expected, () => assert.equal(eventLine(event), expected));
  }

  test('stays one line, whatever the sandbox chose as names', () => {
    const text = fc.string({ unit: 'binary', maxLength: 400 });
    fc.assert(
      fc.property(text, text, text, (name, host, reason) => {
        const line = eventLine(
          networkEvent({ activity: 'refuse', process: { name, pid: 1 }, destination: { host }, reason }),
        );
        assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u);
        assert.ok(Buffer.byteLength(line) < 1200);
      }),
    );
  });

  test('does not let a name close the bracket or add a word to it', () => {
    const line = eventLine(
      networkEvent({
        activity: 'open',
        action: 'allowed',
        destination: { host: 'h', port: 1 },
        rule: { name: 'a] [engine:fake b', type: 'builtin' },
      }),
    );
    assert.equal(
      line,
      'NET:OPEN [INFO] ALLOWED -> h:1 [policy:a\\]\\u{20}\\[engine:fake\\u{20}b engine:builtin]',
    );
  });
});

describe('text of others', () => {
  test('plain text turns line ends into spaces and shows controls', () => {
    assert.equal(plainText('a\r\nb\tc\u001b[31m\u202ed'), 'a b c\\u{1b}[31m\\u{202e}d');
  });
  test('quoted text can be read back', () => {
    assert.equal(quotedText('a"b\\c\n'), '"a\\"b\\\\c\\n"');
  });
  test('a context word has neither space nor bracket of its own', () => {
    assert.equal(contextText('a b]'), 'a\\u{20}b\\]');
  });
  test('truncation counts bytes and never cuts a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 8, max: 60 }), (text, bytes) => {
        const cut = truncated(text, bytes);
        assert.ok(Buffer.byteLength(cut) <= bytes);
        assert.ok(cut === text || (cut.endsWith('...') && text.startsWith(cut.slice(0, -3))));
      }),
    );
  });
});
