import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseOptions, parseResolveRule } from './options.ts';

describe('a resolve rule', () => {
  const good: [string, object][] = [
    ['a.example=127.0.0.1', { name: 'a.example', address: '127.0.0.1' }],
    ['A.Example.:80=127.0.0.1:81', { name: 'a.example', port: 80, address: '127.0.0.1', toPort: 81 }],
    ['a.example=[::1]:81', { name: 'a.example', address: '::1', toPort: 81 }],
    ['a.example:1=[::1]', { name: 'a.example', port: 1, address: '::1' }],
  ];
  for (const [text, rule] of good) test(text, () => assert.deepEqual(parseResolveRule(text), rule));

  for (const text of [
    'a.example',
    '=1.2.3.4',
    'a.example=',
    '1.2.3.4=1.2.3.4',
    'a.example=::1',
    '*.example=::1',
    'a:0=1.2.3.4',
    'a=1.2.3.4:70000',
  ]) {
    test(`${text} is refused`, () => assert.throws(() => parseResolveRule(text), { code: 'usage' }));
  }
});

test('help is wanted before anything is missed', () => {
  assert.equal(parseOptions(['--help']), undefined);
});

test('IPv6 listens in brackets', () => {
  const options = parseOptions(['--policy', 'p', '--listen', '[::1]:3128', '--identity', 'none']);
  assert.deepEqual(options?.listen, { host: '::1', port: 3128 });
});
