import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../value/index.ts';
import { call, callWith, testContext } from './calling.ts';
import { formatAddress, parseAddress } from './net/address.ts';

describe('globs', () => {
  const cases: readonly (readonly [string, Json, string, boolean])[] = [
    ['*.github.com', ['.'], 'api.github.com', true],
    ['*.github.com', [], 'api.cdn.github.com', false],
    ['*.github.com', null, 'api.cdn.github.com', true],
    ['api.**.com', ['.'], 'api.a.b.com', true],
    ['*:github:com', [':'], 'api:github:com', true],
    ['[!a-c]at', [], 'bat', false],
    ['[abc]at', [], 'cat', true],
    ['?at', ['f'], 'fat', false],
    ['{cat,b*,[fr]at}', [], 'rat', true],
    ['{a,{b,c}}d', null, 'cd', true],
    ['a\\*b', null, 'a*b', true],
    ['a\\*b', null, 'axb', false],
    ['*', null, '', true],
    ['?', null, '😀', true],
  ];
  for (const [pattern, delimiters, text, expected] of cases) {
    test(`${pattern} by ${JSON.stringify(delimiters)} ${expected ? 'matches' : 'does not match'} ${text}`, () => {
      assert.equal(call('glob.match', pattern, delimiters, text), expected);
    });
  }

  test('stars upon stars take linear time', () => {
    assert.equal(call('glob.match', '*a'.repeat(50), null, `${'a'.repeat(5_000)}b`), false);
  });

  test('what cannot be read is an error', () => {
    for (const pattern of ['[a-c', '[a-z0-9]', '{a', '[]']) {
      assert.throws(() => call('glob.match', pattern, null, 'x'), { name: 'BuiltinError' }, pattern);
    }
    assert.throws(() => call('glob.match', '*', ['ab'], 'x'), { message: /array of runes/ });
    assert.equal(call('glob.quote_meta', '*.a[b]{c}?\\'), '\\*.a\\[b\\]\\{c\\}\\?\\\\');
  });

  test('two patterns match a string in common or do not', () => {
    assert.equal(call('regex.globs_match', 'a.a.[0-9]+z', '.b.b2359825792*594823z'), true);
    assert.equal(call('regex.globs_match', '[a-z]+', '[0-9]*'), false);
    assert.equal(call('regex.globs_match', 'a*', 'b*'), false);
    assert.throws(() => call('regex.globs_match', 'pqrs]', 'x'), {
      message: "input:pqrs], pos:5, set-close ']' with no preceding '[': the input provided is invalid",
    });
  });

  test('a template is text with patterns between marks', () => {
    assert.equal(call('regex.template_match', 'urn:foo:{.*}', 'urn:foo:bar', '{', '}'), true);
    assert.equal(call('regex.template_match', 'a.b', 'axb', '{', '}'), false);
    assert.throws(() => call('regex.template_match', '{', 'x', '{', '}'), {
      message: 'unbalanced braces in "{"',
    });
  });
});

describe('networks', () => {
  const cases: readonly (readonly [string, readonly Json[], Json])[] = [
    ['net.cidr_contains', ['10.0.0.0/8', '10.1.0.0/24'], true],
    ['net.cidr_contains', ['10.0.0.0/8', '192.168.1.1'], false],
    ['net.cidr_contains', ['2001:4860::/96', '2001:4860::/32'], false],
    ['net.cidr_contains', ['10.0.0.0/8', '::ffff:10.1.1.1'], true],
    ['net.cidr_intersects', ['192.168.1.0/25', '192.168.1.64/25'], true],
    [
      'net.cidr_contains_matches',
      [
        ['1.1.2.0/24', '1.1.1.0/24'],
        ['1.1.1.1', ['1.1.2.1', 'x']],
      ],
      [
        [0, 1],
        [1, 0],
      ],
    ],
    ['net.cidr_expand', ['172.16.100.255/31'], ['172.16.100.254', '172.16.100.255']],
    ['net.cidr_merge', [['192.0.2.112/30', '192.0.2.116/31', '192.0.2.118/31']], ['192.0.2.112/29']],
    ['net.cidr_merge', [['192.0.128.0', '192.0.129.0']], ['192.0.128.0/23']],
    ['net.cidr_merge', [['::/0', 'fe80::1/128']], ['::/0']],
    ['net.cidr_is_valid', ['192.168.01.0/24'], false],
    ['net.cidr_is_valid', ['192.168.1.0/33'], false],
    [
      'uri.parse',
      ['https://u@example.com:8443/a%2Fb?x=1#f'],
      {
        scheme: 'https',
        hostname: 'example.com',
        port: '8443',
        path: '/a/b',
        raw_path: '/a%2Fb',
        raw_query: 'x=1',
        fragment: 'f',
      },
    ],
    ['uri.is_valid', ['http://[::1'], false],
    ['uri.is_valid', [''], false],
    [
      'purl.parse',
      ['pkg:npm/%40angular/core@12.3.1?b=2&a=1#/x/../y'],
      {
        type: 'npm',
        namespace: '@angular',
        name: 'core',
        version: '12.3.1',
        subpath: 'x/y',
        qualifiers: { a: '1', b: '2' },
      },
    ],
    ['purl.is_valid', ['npm/core'], false],
    ['semver.compare', ['1.0.0-alpha.1', '1.0.0-alpha.beta'], -1],
    ['semver.compare', ['1.0.0', '1.0.0-rc.1+x'], 1],
    ['semver.is_valid', ['1.0'], false],
    ['units.parse', ['0.0005K'], 0.5],
    ['units.parse', ['500m'], 0.5],
    ['units.parse', ['10Mi'], 10485760],
    ['units.parse_bytes', ['1.1KiB'], 1126],
    ['units.parse_bytes', ['3.2E2MiB'], 335544320],
  ];
  for (const [name, args, expected] of cases) {
    test(`${name}${JSON.stringify(args)}`, () => {
      assert.deepEqual(call(name, ...args), expected);
    });
  }

  const failures: readonly (readonly [string, readonly Json[], RegExp])[] = [
    ['net.cidr_expand', ['10.0.0.0/8'], /larger than the limit/],
    ['net.cidr_expand', ['::/0'], /larger than the limit/],
    ['net.cidr_contains', ['nope', '1.1.1.1'], /^invalid CIDR address: nope$/],
    ['net.cidr_merge', [['fe80::1']], /^IPv6 invalid: needs prefix length$/],
    [
      'net.cidr_contains_matches',
      ['1.1.1.0/24', [1]],
      /^operand 2: element must be string or non-empty array$/,
    ],
    ['units.parse', ['GB'], /^no amount provided$/],
    ['units.parse', ['0.0.0'], /^could not parse amount to a number$/],
    ['units.parse', ['1e999999999'], /^could not parse amount to a number$/],
    ['units.parse_bytes', ['100 kb'], /^spaces not allowed in resource strings$/],
    ['semver.compare', ['1', '1.0.0'], /^operand 1: string "1" is not a valid SemVer$/],
    ['net.lookup_ip_addr', ['example.com'], /not granted/],
    ['http.send', [{ method: 'get' }], /^operand 1 missing required request parameters\(s\): \{"url"\}$/],
    [
      'http.send',
      [{ method: 'get', url: 'x', bad_key: 1 }],
      /^operand 1 invalid request parameters\(s\): \{"bad_key"\}$/,
    ],
  ];
  for (const [name, args, message] of failures) {
    test(`${name}${JSON.stringify(args)} fails with ${message.source}`, () => {
      assert.throws(() => call(name, ...args), { message });
    });
  }

  test('addresses are read back as they are written', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseAddress(text);
        assert.ok(address !== undefined);
        const written = formatAddress(address);
        const value = parseAddress(written)?.value;
        assert.equal(written.includes(':') ? value : 0xffff_0000_0000n + (value ?? 0n), address.value);
      }),
    );
    assert.equal(formatAddress(parseAddress('2001:db8:0:0:1:0:0:1')!), '2001:db8::1:0:0:1');
    for (const text of [
      '1.2.3',
      '1.2.3.04',
      '256.1.1.1',
      ':::',
      '1::2::3',
      '12345::',
      '1:2:3:4:5:6:7:8:9',
      '::1%eth0',
    ]) {
      assert.equal(parseAddress(text), undefined, text);
    }
  });

  test('what was granted is asked once in an evaluation', () => {
    let asked = 0;
    const context = testContext({
      granted: {
        lookupIpAddr: () => {
          asked++;
          return ['192.0.2.1'];
        },
      },
    });
    callWith(context, 'net.lookup_ip_addr', ['example.com']);
    callWith(context, 'net.lookup_ip_addr', ['example.com']);
    assert.equal(asked, 1);
    callWith(context, 'net.lookup_ip_addr', ['::1']);
    assert.equal(asked, 1);
  });

  test('UUIDs are made once for a key and taken apart', () => {
    const context = testContext();
    const made = callWith(context, 'uuid.rfc4122', ['k']) as string;
    assert.match(made, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(callWith(context, 'uuid.rfc4122', ['k']), made);
    assert.deepEqual(call('uuid.parse', made), { variant: 'RFC4122', version: 4 });
    assert.equal(call('uuid.parse', 'nope'), undefined);
  });
});
