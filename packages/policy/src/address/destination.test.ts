import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from './address.ts';
import {
  type AddressClass,
  classifyAddress,
  forbiddenOverlap,
  innerAddress,
  reachOf,
} from './address-class.ts';
import { parseCidr } from './cidr.ts';
import { CONTROL_PLANE_PORTS, checkDestination, type DestinationQuery } from './destination.ts';

/** Addresses of each class: at the edges of its blocks, and what is public right beside them. */
const CLASSES: readonly (readonly [AddressClass, readonly string[]])[] = [
  ['unspecified', ['0.0.0.0', '0.255.255.255', '::']],
  ['loopback', ['127.0.0.1', '127.255.255.255', '::1']],
  ['link-local', ['169.254.0.1', '169.254.255.255', 'fe80::1', 'febf::1']],
  [
    'cloud-metadata',
    [
      '169.254.169.254',
      '169.254.170.2',
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      'fd00:ec2::254',
      'fd20:ce::254',
    ],
  ],
  ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1']],
  ['broadcast', ['255.255.255.255']],
  [
    'reserved',
    [
      '192.0.0.1',
      '240.0.0.1',
      '255.255.255.254',
      '100::1',
      '2001:1::1',
      '4000::1',
      'fec0::1',
      '8000::1',
      'c000::1',
      'e000::1',
      'f000::1',
      'f800::1',
      'fe00::1',
      '::7f00:1',
      '5f00::1',
    ],
  ],
  ['documentation', ['192.0.2.1', '198.51.100.255', '203.0.113.0', '2001:db8::1', '3fff::1']],
  ['benchmarking', ['198.18.0.1', '198.19.255.255', '2001:2::1']],
  ['nat64', ['64:ff9b::a00:1', '64:ff9b:1::1']],
  ['6to4', ['192.88.99.1', '2002:a00:1::1']],
  ['teredo', ['2001:0:1::1']],
  ['v4-mapped', ['::ffff:10.0.0.1', '::ffff:127.0.0.1', '::ffff:8.8.8.8']],
  ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.1']],
  ['cgnat', ['100.64.0.0', '100.127.255.255']],
  ['unique-local', ['fc00::1', 'fdff::1']],
  [
    'public',
    [
      '1.1.1.1',
      '9.255.255.255',
      '11.0.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '192.167.255.255',
      '100.63.255.255',
      '100.128.0.0',
      '168.63.129.17',
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
      '2606:4700::1111',
      '2001:200::1',
      '2003::1',
      '3ffe::1',
    ],
  ],
];

const NEVER: readonly AddressClass[] = CLASSES.map(([kind]) => kind).filter(
  (kind) => !['private', 'cgnat', 'unique-local', 'public'].includes(kind),
);

describe('address classes', () => {
  for (const [kind, addresses] of CLASSES) {
    test(`${kind}: ${addresses.join(' ')}`, () => {
      for (const text of addresses) assert.equal(classifyAddress(parseAddress(text)!), kind, text);
    });
  }

  test('a v4-mapped address also tells what it stands for', () => {
    assert.equal(classifyAddress(innerAddress(parseAddress('::ffff:127.0.0.1')!)!), 'loopback');
    assert.equal(innerAddress(parseAddress('2606::1')!), undefined);
  });
});

const query = (more: Partial<DestinationQuery> = {}): DestinationQuery => ({
  host: 'db.example.com',
  port: 443,
  exactHost: true,
  ...more,
});

describe('the destination rule', () => {
  for (const [kind, addresses] of CLASSES) {
    const never = NEVER.includes(kind);
    const isPublic = kind === 'public';
    test(`${kind}: ${never ? 'never' : isPublic ? 'always' : 'only for exact hosts or with allowed_ips'}`, () => {
      for (const text of addresses) {
        assert.equal(
          checkDestination([text], query({ exactHost: true })).ok,
          !never,
          `${text} for an exact host`,
        );
        assert.equal(
          checkDestination([text], query({ exactHost: false })).ok,
          isPublic,
          `${text} for a wildcard`,
        );
        const listed = query({ exactHost: false, allowedIps: [`${text}/${text.includes(':') ? 128 : 32}`] });
        assert.equal(checkDestination([text], listed).ok, !never, `${text} with allowed_ips`);
      }
    });
  }

  test('allowed_ips shut out every other address, public ones too', () => {
    const verdict = checkDestination(['8.8.8.8'], query({ allowedIps: ['10.0.0.0/8'] }));
    assert.ok(!verdict.ok);
    assert.match(verdict.reason, /outside the endpoint's allowed_ips \(10\.0\.0\.0\/8\)/);
    assert.match(verdict.remedy, /"8\.8\.8\.8"/);
  });

  test('metadata addresses inside an allowed private block stay out of reach', () => {
    for (const [address, block] of [
      ['100.100.100.200', '100.64.0.0/10'],
      ['fd00:ec2::254', 'fd00::/8'],
    ] as const) {
      const verdict = checkDestination([address], query({ allowedIps: [block] }));
      assert.ok(!verdict.ok && verdict.class === 'cloud-metadata');
    }
  });

  test('one bad address refuses all of them', () => {
    const verdict = checkDestination(['1.1.1.1', '127.0.0.1', '9.9.9.9'], query());
    assert.ok(!verdict.ok && verdict.address === '127.0.0.1' && verdict.class === 'loopback');
  });

  test('no address, and text that is no address, are refused', () => {
    assert.equal(checkDestination([], query()).ok, false);
    for (const text of ['', 'localhost', '127.1', '0177.0.0.1', '[::1]'])
      assert.equal(checkDestination([text], query()).ok, false, text);
  });

  test('ports of control planes are refused on private addresses and open on public ones', () => {
    for (const port of CONTROL_PLANE_PORTS) {
      assert.equal(checkDestination(['10.0.0.1'], query({ port })).ok, false);
      assert.equal(checkDestination(['10.0.0.1'], query({ port, allowedIps: ['10.0.0.0/8'] })).ok, false);
      assert.equal(checkDestination(['1.1.1.1'], query({ port })).ok, true);
    }
  });

  test('what the operator opens counts as private: exact hosts only', () => {
    const operatorAllows = ['127.0.0.0/8'];
    assert.equal(checkDestination(['127.0.0.1'], query({ operatorAllows })).ok, true);
    assert.equal(checkDestination(['127.0.0.1'], query({ operatorAllows, exactHost: false })).ok, false);
    assert.equal(checkDestination(['127.0.0.1'], query({ operatorAllows, port: 6443 })).ok, false);
    assert.equal(checkDestination(['169.254.169.254'], query({ operatorAllows })).ok, false);
    assert.equal(checkDestination(['::ffff:127.0.0.1'], query({ operatorAllows })).ok, false);
  });

  test('blocks that do not parse contain nothing', () => {
    assert.equal(checkDestination(['10.0.0.1'], query({ allowedIps: ['nonsense'] })).ok, false);
  });

  test('a refusal always has an address, a reason and a remedy', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { minLength: 1 }),
        fc.boolean(),
        (addresses, exactHost) => {
          const verdict = checkDestination(addresses, query({ exactHost }));
          if (verdict.ok) return;
          assert.ok(verdict.reason.length > 0 && verdict.remedy.length > 0);
        },
      ),
    );
  });
});

test('blocks of allowed_ips may not reach into what is never reachable', () => {
  const cases: readonly (readonly [string, AddressClass | undefined])[] = [
    ['127.0.0.1/32', 'loopback'],
    ['126.0.0.0/7', 'loopback'],
    ['0.0.0.0/0', 'unspecified'],
    ['::ffff:0:0/96', 'v4-mapped'],
    ['169.254.169.254/32', 'cloud-metadata'],
    ['168.63.129.16/32', 'cloud-metadata'],
    ['168.63.0.0/16', undefined],
    ['100.64.0.0/10', undefined],
    ['fd00::/8', undefined],
    ['fd00:ec2::254/128', 'cloud-metadata'],
    ['10.0.0.0/8', undefined],
    ['8.8.8.0/24', undefined],
  ];
  for (const [text, kind] of cases) assert.equal(forbiddenOverlap(parseCidr(text)!), kind, text);
  assert.equal(reachOf(parseAddress('168.63.129.16')!), 'never');
});
