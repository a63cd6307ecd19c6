import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from './place-of.ts';

const CASES: readonly (readonly [string, string, boolean, string])[] = [
  ['192.0.2.1', '192.0.2.1', true, 'one address'],
  ['192.0.2.1', '::ffff:192.0.2.1', true, 'an address and what a socket of both families shows it as'],
  ['192.0.2.1', '192.0.2.2', false, 'two addresses'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false, 'two addresses at a socket of both families'],
  ['2001:db8::1', '2001:db8::ffff:0:0:2', true, 'two addresses that one interface can have'],
  ['fe80::1%eth0', 'fe80::2%eth1', true, 'two addresses of a link'],
  ['2001:db8::1', '2001:db8:0:1::1', false, 'two networks'],
  ['::', '0.0.0.0', false, 'two families'],
];

for (const [one, other, same, what] of CASES)
  test(`${what} ${same ? 'are one place' : 'are two places'}: ${one}, ${other}`, () => {
    assert.equal(placeOf(one) === placeOf(other), same);
  });
