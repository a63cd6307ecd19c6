import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalTarget, queryParameters } from './canonical-target.ts';

const pathOf = (target: string): string => {
  const result = canonicalTarget(target, 100);
  return result.kind === 'target' ? result.path + result.query : `! ${result.detail}`;
};

describe('a canonical target', () => {
  const same = [
    '/',
    '/a',
    '/a/',
    '/a.b/c-d_e~f',
    '/a?x=/../y',
    '*',
    '/a%20b',
    '/%7B',
    "/!$&'()*+,=:@",
    '/...',
  ];
  for (const target of same) test(`${target} is one already`, () => assert.equal(pathOf(target), target));

  const changed: [string, string][] = [
    ['/%61', '/a'],
    ['/%2d%5f%7E', '/-_~'],
    ['/%7b', '/%7B'],
    ['/{a}|"<>^`', '/%7Ba%7D%7C%22%3C%3E%5E%60'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/%2E/b', '/a/b'],
    ['//a///b', '/a/b'],
    ['/a;x=1/b;y', '/a/b'],
    ['/a/..;/b', '/b'],
    ['/a%2fb', '/a%2Fb'],
    ['/%e2%82%ac', '/%E2%82%AC'],
    ['/a%252e', '/a%252e'],
    ['/.?x', '/?x'],
  ];
  for (const [target, expected] of changed)
    test(`of ${target} is ${expected}`, () => assert.equal(pathOf(target), expected));

  const refused = [
    'a',
    '',
    '?a',
    '/..',
    '/a/../..',
    '/a/%2e%2e/..',
    '/..;/a',
    '/%',
    '/%4',
    '/%zz',
    '/%00',
    '/%0d%0a',
    '/%7f',
    '/a\\b',
    '/a%5cb',
    '/a#b',
    '/a?b#c',
    '/a%2f..%2fb',
    '/..%2fb',
    '/a/..%3bx/b',
    '/%c0%ae%c0%ae/b',
    '/%e0%80%af',
    '/%f0%80%80%af',
    `/${'x'.repeat(100)}`,
  ];
  for (const target of refused) test(`is not made of ${target}`, () => assert.match(pathOf(target), /^! /));

  test('is a fixed point, whatever it came from', () => {
    const parts = fc.constantFrom(
      'a',
      '/',
      '.',
      '..',
      '%2e',
      '%2F',
      '%41',
      '%',
      ';',
      '{',
      '\\',
      '?',
      'é',
      '%25',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
        const once = pathOf(`/${pieces.join('')}`);
        if (!once.startsWith('!')) assert.equal(pathOf(once), once);
        assert.doesNotMatch(once.split('?')[0]!, /\/\.{1,2}(?:\/|$)|\/\/|;|\\/);
      }),
    );
  });

  test('says whether an encoded slash is left', () => {
    const result = canonicalTarget('/a%2fb', 100);
    assert.equal(result.kind === 'target' && result.encodedSlash, true);
  });
});

describe('query parameters', () => {
  const cases: [string, [string, string][] | undefined][] = [
    ['', []],
    ['?', []],
    [
      '?a=1&b',
      [
        ['a', '1'],
        ['b', ''],
      ],
    ],
    [
      '?a=1&a=2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['?a+b=c%20d%2B', [['a b', 'c d+']]],
    ['?&&a=b=c', [['a', 'b=c']]],
    ['?a=%', undefined],
    ['?a=%ff', undefined],
  ];
  for (const [query, expected] of cases)
    test(`of "${query}"`, () => assert.deepEqual(queryParameters(query), expected));
});
