import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseControlTarget } from './target.ts';

describe('where a proxy is controlled', () => {
  for (const [text, target] of [
    ['unix:/run/openshell/control.sock', { kind: 'unix', path: '/run/openshell/control.sock' }],
    ['proxy.example:7443', { kind: 'tcp', host: 'proxy.example', port: 7443 }],
    ['127.0.0.1:1', { kind: 'tcp', host: '127.0.0.1', port: 1 }],
    ['[::1]:65535', { kind: 'tcp', host: '::1', port: 65_535 }],
  ] as const)
    test(text, () => assert.deepEqual(parseControlTarget(text), target));

  for (const text of [
    '',
    'unix:',
    'unix:relative',
    'proxy',
    'proxy:',
    ':7443',
    'a:0',
    'a:65536',
    '::1:7443',
    'http://a:1',
  ])
    test(`"${text}" is refused`, () =>
      assert.throws(() => parseControlTarget(text), { code: 'request_invalid' }));
});
