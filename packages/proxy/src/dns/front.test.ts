import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dnsQuery, dnsReply, type QueryOptions } from '../test-support/dns-client.ts';
import { DnsFront, reverseAddress } from './front.ts';
import { RCODE, TYPE } from './message.ts';
import { SyntheticNames } from './synthetic-names.ts';

const OPT = Buffer.from([0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0]);
const OPT_V1 = Buffer.from([0, 0, 41, 16, 0, 0, 1, 0, 0, 0, 0]);

interface FrontUnderTest {
  /** Knows at once. */
  readonly front: { answer(message: Buffer): Buffer | undefined };
  readonly names: SyntheticNames;
  readonly refused: string[];
}

function front(): FrontUnderTest {
  const names = new SyntheticNames(100);
  const refused: string[] = [];
  const dns = new DnsFront({
    names,
    maxBytes: 600,
    couldAllow: (name) => name === 'site.example' || name.endsWith('.wild.example'),
    onRefused: ({ name, type }) => refused.push(`${name} ${type}`),
  });
  const answer = (message: Buffer): Buffer | undefined => {
    const response = dns.answer(message);
    assert.ok(!(response instanceof Promise));
    return response;
  };
  return { names, refused, front: { answer } };
}

type Expected = { rcode: number; counts: [number, number, number]; data?: string };

const table: [string, string, QueryOptions, Expected][] = [
  ['an allowed name has an address', 'site.example', {}, { rcode: 0, counts: [1, 0, 0], data: 'c6120001' }],
  [
    'an allowed name has an IPv6 address with the same number',
    'site.example',
    { type: TYPE.AAAA },
    { rcode: 0, counts: [1, 0, 0], data: 'fdc37a5e91d400000000000000000001' },
  ],
  [
    'a name in mixed case is the same name',
    'SiTe.ExamPLE',
    {},
    { rcode: 0, counts: [1, 0, 0], data: 'c6120001' },
  ],
  ['an allowed name has no text', 'site.example', { type: TYPE.TXT }, { rcode: 0, counts: [0, 1, 0] }],
  [
    'an allowed name has no HTTPS record',
    'site.example',
    { type: TYPE.HTTPS },
    { rcode: 0, counts: [0, 1, 0] },
  ],
  [
    'an allowed name has no mail exchanger',
    'site.example',
    { type: TYPE.MX },
    { rcode: 0, counts: [0, 1, 0] },
  ],
  ['another name does not exist', 'evil.example', {}, { rcode: RCODE.nxDomain, counts: [0, 1, 0] }],
  ['a name below an allowed one does not exist', 'data.site.example', {}, { rcode: 3, counts: [0, 1, 0] }],
  ['the root does not exist', '', { type: TYPE.NS }, { rcode: 3, counts: [0, 1, 0] }],
  ['a label with a strange byte does not exist', 'a b.wild.example', {}, { rcode: 3, counts: [0, 1, 0] }],
  ['localhost is this machine', 'localhost', {}, { rcode: 0, counts: [1, 0, 0], data: '7f000001' }],
  [
    'so is everything below it',
    'x.localhost',
    { type: TYPE.AAAA },
    { rcode: 0, counts: [1, 0, 0], data: `${'00'.repeat(15)}01` },
  ],
  [
    'the reverse of an unknown address does not exist',
    '9.0.18.198.in-addr.arpa',
    { type: TYPE.PTR },
    { rcode: 3, counts: [0, 1, 0] },
  ],
  ['ANY is refused', 'site.example', { type: TYPE.ANY }, { rcode: RCODE.refused, counts: [0, 0, 0] }],
  ['another class is refused', 'site.example', { class: 3 }, { rcode: RCODE.refused, counts: [0, 0, 0] }],
  [
    'EDNS is answered with EDNS',
    'site.example',
    { counts: [1, 0, 0, 1], tail: OPT },
    { rcode: 0, counts: [1, 0, 1], data: 'c6120001' },
  ],
  [
    'a later EDNS version is refused as such',
    'site.example',
    { counts: [1, 0, 0, 1], tail: OPT_V1 },
    { rcode: 0, counts: [0, 0, 1] },
  ],
  [
    'two OPT records are malformed',
    'site.example',
    { counts: [1, 0, 0, 2], tail: Buffer.concat([OPT, OPT]) },
    { rcode: 1, counts: [0, 0, 0] },
  ],
  [
    'two questions are malformed',
    'site.example',
    { counts: [2, 0, 0, 0] },
    { rcode: RCODE.formErr, counts: [0, 0, 0] },
  ],
  ['no question is malformed', 'site.example', { counts: [0, 0, 0, 0] }, { rcode: 1, counts: [0, 0, 0] }],
  [
    'a query with answers is malformed',
    'site.example',
    { counts: [1, 1, 0, 0] },
    { rcode: 1, counts: [0, 0, 0] },
  ],
  [
    'bytes behind the query are malformed',
    'site.example',
    { tail: Buffer.from([0]) },
    { rcode: 1, counts: [0, 0, 0] },
  ],
  [
    'a query that is too large is malformed',
    'site.example',
    { tail: Buffer.alloc(700) },
    { rcode: 1, counts: [0, 0, 0] },
  ],
  [
    'another operation is not implemented',
    'site.example',
    { flags: 0x2800 },
    { rcode: RCODE.notImp, counts: [0, 0, 0] },
  ],
];

describe('the DNS front', () => {
  for (const [what, name, options, expected] of table) {
    test(what, () => {
      const { rcode, counts, data } = dnsReply(front().front.answer(dnsQuery(name, options))!);
      assert.deepEqual({ rcode, counts, ...(data && { data: data.toString('hex') }) }, expected);
    });
  }

  test('gives a name the same addresses each time, and the name back for the address', () => {
    const { front: dns, names } = front();
    for (let i = 0; i < 3; i++) dns.answer(dnsQuery('site.example'));
    assert.equal(names.size, 1);
    for (const [reverse, address] of [
      ['1.0.18.198.in-addr.arpa', '198.18.0.1'],
      [`1.${'0.'.repeat(19)}4.d.1.9.e.5.a.7.3.c.d.f.ip6.arpa`, 'fdc3:7a5e:91d4::1'],
    ] as const) {
      assert.equal(reverseAddress(reverse), address);
      const { data } = dnsReply(dns.answer(dnsQuery(reverse, { type: TYPE.PTR }))!);
      assert.equal(data?.toString('latin1'), '\u0004site\u0007example\0');
    }
  });

  test('echoes the question byte for byte, with its id and the wish for recursion', () => {
    const query = dnsQuery('SiTe.eXample', { id: 0xbeef });
    const response = front().front.answer(query)!;
    assert.equal(response.readUInt16BE(0), 0xbeef);
    assert.equal(response.readUInt16BE(2), 0x8580);
    assert.deepEqual(response.subarray(12, query.length), query.subarray(12));
  });

  test('does not answer a response, so that two fronts cannot keep each other busy', () => {
    assert.equal(front().front.answer(dnsQuery('site.example', { flags: 0x8100 })), undefined);
    assert.equal(front().front.answer(Buffer.alloc(11)), undefined);
  });

  test('tells which names were refused', () => {
    const { front: dns, refused } = front();
    dns.answer(dnsQuery('Evil.example', { type: TYPE.AAAA }));
    dns.answer(dnsQuery('evil.example', { type: 1234 }));
    assert.deepEqual(refused, ['evil.example AAAA', 'evil.example TYPE1234']);
  });

  test('answers any bytes with a small response or none, and never throws', () => {
    const { front: dns } = front();
    const valid = dnsQuery('a.wild.example', { counts: [1, 0, 0, 1], tail: OPT });
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 })
      .map((changes) =>
        changes.reduce((bytes, [at, value]) => bytes.fill(value, at, at + 1), Buffer.from(valid)),
      );
    const anything = fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(anything, mutated), fc.nat(700), (bytes, length) => {
        const response = dns.answer(bytes.subarray(0, length));
        assert.ok(response === undefined || (response.length >= 12 && response.length <= 512));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a name in a query', () => {
  const raw = (name: Buffer): number | undefined => {
    const query = Buffer.concat([dnsQuery('').subarray(0, 12), name, Buffer.from([0, 1, 0, 1])]);
    return dnsReply(front().front.answer(query)!).rcode;
  };
  const label = (length: number): Buffer => Buffer.concat([Buffer.from([length]), Buffer.alloc(length, 'a')]);
  const end = Buffer.from([0]);

  test('may be as long as the standard allows, and no longer', () => {
    const long = [label(63), label(63), label(63)];
    assert.equal(raw(Buffer.concat([...long, label(61), end])), RCODE.nxDomain);
    assert.equal(raw(Buffer.concat([...long, label(62), end])), RCODE.formErr);
    assert.equal(raw(Buffer.concat([label(64), end])), RCODE.formErr);
  });

  test('may not be compressed, nor end before it ends', () => {
    assert.equal(raw(Buffer.from([0xc0, 12])), RCODE.formErr);
    assert.equal(raw(Buffer.from([63, 97])), RCODE.formErr);
  });
});

describe('a front that has to ask elsewhere', () => {
  const asking = (couldAllow: (name: string, type: string) => Promise<boolean>): DnsFront =>
    new DnsFront({ names: new SyntheticNames(10), maxBytes: 600, couldAllow, onRefused: () => {} });
  const rcodeOf = async (asked: DnsFront): Promise<number> => {
    const response = asked.answer(dnsQuery('site.example', { type: TYPE.AAAA }));
    assert.ok(response instanceof Promise);
    return dnsReply(await response).rcode;
  };

  test('answers with what it hears, and tells the record that was asked for', async () => {
    const asked: string[] = [];
    const answered = (known: boolean) =>
      asking(async (name, type) => {
        asked.push(`${name} ${type}`);
        return known;
      });
    assert.deepEqual(
      [await rcodeOf(answered(true)), await rcodeOf(answered(false))],
      [RCODE.noError, RCODE.nxDomain],
    );
    assert.deepEqual(asked, ['site.example AAAA', 'site.example AAAA']);
  });

  test('says that it failed, rather than that there is no such name, when nobody can be asked', async () =>
    assert.equal(await rcodeOf(asking(async () => Promise.reject(new Error('lost')))), RCODE.servFail));
});
