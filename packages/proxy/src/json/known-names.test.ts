import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownNames } from './known-names.ts';

test('a name that some reader takes for a known one is found', () => {
  const names = new KnownNames(['params', 'id', 'token', 'operationName']);
  const cases: [name: string, known: string | undefined][] = [
    ['params', undefined],
    ['Params', 'params'],
    ['param\u017f', 'params'],
    ['to\u212aen', 'token'],
    ['OPERATIONNAME', 'operationName'],
    ['operationname', 'operationName'],
    ['operation_name', undefined],
    ['other', undefined],
    ['__proto__', undefined],
  ];
  for (const [name, known] of cases) assert.equal(names.mistakable([name]), known, name);
});
