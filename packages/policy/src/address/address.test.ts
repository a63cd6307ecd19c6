import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress, formatAddress, parseAddress } from './address.ts';
import { canonicalHost, isAddressLiteral } from './canonical-host.ts';
import { cidrContains, cidrsOverlap, formatCidr, parseCidr } from './cidr.ts';

const CANONICAL: readonly (readonly [written: string, canonical: string | undefined])[] = [
  ['10.0.0.1', '10.0.0.1'],
  ['255.255.255.255', '255.255.255.255'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['::ffff:a00:1', '::ffff:10.0.0.1'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['010.0.0.1', undefined],
  ['1.2.3', undefined],
  ['1.2.3.4.5', undefined],
  ['256.0.0.1', undefined],
  ['0x7f.0.0.1', undefined],
  ['1.2.3.4 ', undefined],
  ['', undefined],
  [':', undefined],
  [':::', undefined],
  ['1::2::3', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4::5:6:7:8', undefined],
  ['12345::', undefined],
  ['1.2.3.4::', undefined],
  ['fe80::1%eth0', undefined],
  ['[::1]', undefined],
];

describe('address literals', () => {
  for (const [written, canonical] of CANONICAL) {
    test(`${JSON.stringify(written)} is ${canonical ?? 'refused'}`, () =>
      assert.equal(canonicalAddress(written), canonical));
  }

  test('every address survives being written and read', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 128n - 1n), fc.constantFrom<4 | 6>(4, 6), (number, family) => {
        const address = { family, value: family === 4 ? number >> 96n : number };
        assert.deepEqual(parseAddress(formatAddress(address)), address);
      }),
    );
  });
});

const HOSTS: readonly (readonly [written: string, canonical: string | undefined])[] = [
  ['api.example.com', 'api.example.com'],
  ['API.Example.COM.', 'api.example.com'],
  ['localhost', 'localhost'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['a_b.example.com', 'a_b.example.com'],
  ['[2001:DB8::0:1]', '2001:db8::1'],
  ['2001:DB8::0:1', '2001:db8::1'],
  ['10.0.0.1', '10.0.0.1'],
  ['1.example.com', '1.example.com'],
  ['', undefined],
  ['.', undefined],
  ['..', undefined],
  ['a..b', undefined],
  ['.a', undefined],
  ['a b', undefined],
  ['-a.com', undefined],
  ['a-.com', undefined],
  ['a/b', undefined],
  ['a.com:443', undefined],
  ['user@a.com', undefined],
  ['bücher.example', undefined],
  ['a\u0000.com', undefined],
  ['10.0.0.1.', undefined],
  ['127.1', undefined],
  ['2130706433', undefined],
  ['0x7f000001', undefined],
  ['0x7f.0.0.1', undefined],
  ['0177.0.0.1', undefined],
  ['a.0x', undefined],
  ['[1.2.3.4]', undefined],
  ['[::1', undefined],
  ['[fe80::1%25eth0]', undefined],
  [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
  [`${'a'.repeat(64)}.com`, undefined],
  [`${'a.'.repeat(126)}com`, undefined],
];

describe('hosts', () => {
  for (const [written, canonical] of HOSTS) {
    test(`${JSON.stringify(written.slice(0, 40))} is ${canonical?.slice(0, 40) ?? 'refused'}`, () =>
      assert.equal(canonicalHost(written), canonical));
  }

  test('canonicalising twice changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6(), fc.webAuthority()), (written) => {
        const once = canonicalHost(written);
        if (once !== undefined) assert.equal(canonicalHost(once), once);
      }),
    );
  });

  test('what looks like an address is one', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-fx.:]{1,20}$/)),
        (written) => {
          const host = canonicalHost(written);
          if (host !== undefined) assert.equal(isAddressLiteral(host), parseAddress(host) !== undefined);
        },
      ),
    );
  });
});

describe('blocks of addresses', () => {
  test('a block has one spelling, and bits after its prefix do not count', () => {
    const spelling = (text: string) => {
      const cidr = parseCidr(text);
      return cidr && formatCidr(cidr);
    };
    assert.equal(spelling('10.1.2.3/8'), '10.0.0.0/8');
    assert.equal(spelling('10.1.2.3'), '10.1.2.3/32');
    assert.equal(spelling('FD00::1/8'), 'fd00::/8');
    assert.equal(spelling('::/0'), '::/0');
    for (const bad of [
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '::/129',
      'x/8',
      '/8',
      '10.0.0.0/8/8',
    ]) {
      assert.equal(spelling(bad), undefined, bad);
    }
  });

  test('families never mix', () => {
    assert.equal(cidrContains(parseCidr('0.0.0.0/0')!, parseAddress('::ffff:1.2.3.4')!), false);
    assert.equal(cidrContains(parseCidr('::/0')!, parseAddress('1.2.3.4')!), false);
  });

  test('two blocks overlap exactly when one holds the other', () => {
    const block = fc
      .tuple(fc.constantFrom(0, 1, 2, 3, 128, 255), fc.nat(8))
      .map(([byte, prefix]) => parseCidr(`${byte}.0.0.0/${prefix}`)!);
    const firsts = Array.from({ length: 256 }, (_, byte) => parseAddress(`${byte}.0.0.0`)!);
    fc.assert(
      fc.property(block, block, (a, b) => {
        const shared = firsts.some((address) => cidrContains(a, address) && cidrContains(b, address));
        assert.equal(cidrsOverlap(a, b), shared);
      }),
    );
  });
});
