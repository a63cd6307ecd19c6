import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isSynthetic, SyntheticNames } from './synthetic-names.ts';

const text = (v4: Buffer): string => [...v4].join('.');

describe('synthetic addresses', () => {
  test('stand for their name in both families', () => {
    const names = new SyntheticNames(100);
    fc.assert(
      fc.property(fc.domain(), (name) => {
        const { v4, v6 } = names.addressesOf(name);
        assert.equal(names.nameOf(text(v4)), name);
        const groups = v6
          .toString('hex')
          .match(/..../g)!
          .map((group) => Number.parseInt(group, 16).toString(16));
        const short = groups
          .slice(6)
          .filter((group, i) => i > 0 || group !== '0')
          .join(':');
        assert.equal(names.nameOf(`fdc3:7a5e:91d4::${short}`), name);
      }),
    );
  });

  test('the least recently used name is forgotten, and its address rests before it is used again', () => {
    const names = new SyntheticNames(2);
    const first = text(names.addressesOf('a').v4);
    names.addressesOf('b');
    assert.equal(names.nameOf(first), 'a');
    names.addressesOf('c');
    assert.equal(names.nameOf(first), 'a');
    const b = '198.18.0.2';
    assert.equal(names.nameOf(b), undefined);
    for (let i = 0; i < 1000; i++) assert.notEqual(text(names.addressesOf(`n${i}`).v4), b);
    assert.equal(names.size, 2);
  });

  test('addresses come round again without ever being given twice', () => {
    const names = new SyntheticNames(3);
    const kept = text(names.addressesOf('kept').v4);
    for (let i = 0; i < (1 << 17) + 10; i++) {
      names.nameOf(kept);
      assert.notEqual(text(names.addressesOf(`n${i}`).v4), kept);
    }
    assert.equal(names.nameOf(kept), 'kept');
  });

  const table: [string, boolean][] = [
    ['198.18.0.0', true],
    ['198.19.255.255', true],
    ['198.20.0.0', false],
    ['198.17.255.255', false],
    ['93.184.216.34', false],
    ['fdc3:7a5e:91d4::', true],
    ['fdc3:7a5e:91d4::1:ffff', true],
    ['fdc3:7a5e:91d4:1::1', false],
    ['fdc3:7a5e:91d5::1', false],
    ['::1', false],
  ];
  for (const [address, expected] of table) {
    test(`${address} is ${expected ? '' : 'not '}one`, () => assert.equal(isSynthetic(address), expected));
  }
});
