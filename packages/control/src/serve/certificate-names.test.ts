import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateNames } from './certificate-names.ts';

const cases: readonly (readonly [string, string | undefined, readonly string[]])[] = [
  ['none', undefined, []],
  ['nothing', '', []],
  ['a DNS name, in lower case', 'DNS:Node-1.Example', ['node-1.example']],
  ['a URI, as it is', 'URI:spiffe://a/Node', ['spiffe://a/Node']],
  [
    'several, without addresses and mail',
    'DNS:a.test, IP Address:10.0.0.1, email:x@y, URI:s://b',
    ['a.test', 's://b'],
  ],
  ['quoted ones', 'URI:"s://a, DNS:evil.test", DNS:b.test', ['s://a, DNS:evil.test', 'b.test']],
  ['escapes in quotes', 'DNS:"a\\"b", DNS:c', ['a"b', 'c']],
  ['a DNS name that looks like a URI', 'DNS:spiffe://a', []],
  ['a URI that looks like a DNS name', 'URI:a.test', []],
];
for (const [what, text, expected] of cases)
  test(`a certificate with ${what} is for those it names`, () =>
    assert.deepEqual(certificateNames({ subjectAltName: text }), expected));
