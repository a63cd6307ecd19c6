import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUILT_IN_NAMES, builtInDetector } from './detectors.ts';
import { compilePattern } from './pattern.ts';
import { Scanner, ScannerIndex } from './scanner.ts';

const redacted = (pattern: string, text: string): string => {
  const index = new ScannerIndex([{ name: 'one', sequences: compilePattern(pattern) }]);
  return new Scanner(index).push(Buffer.from(text, 'latin1'), true).toString('latin1');
};

test('a pattern means what it means in a regular expression', () => {
  const cases: [pattern: string, text: string][] = [
    ['abc', 'xabcx'],
    ['ab?c', 'ac abc abbc'],
    ['acme-[a-f0-9]{4}', 'acme-12ef acme-12eg'],
    ['acme-[a-f0-9]{2,4}', 'acme-1 acme-12 acme-12345'],
    ['k:\\d+', 'k: k:1 k:123x'],
    ['k:[^ ;]*', 'k: k:1;k:\u00e9x'],
    ['a|bc|d[ef]', 'abcdedf'],
    ['a\\.b', 'a.b axb'],
    ['[a\\-z]{2}', 'a- az -z ab'],
    ['[a-]x', 'ax -x bx'],
    ['\\w{3}!', 'ab! abc! a_1!'],
    ['\\W\\D\\S', 'a-b1 !!!'],
    ['x.y', 'x\ny xzy'],
    ['[\\d.]{1,3}:', '1.2: 1:'],
  ];
  for (const [pattern, text] of cases) {
    const expected = text.replaceAll(new RegExp(pattern, 'g'), '[REDACTED]');
    assert.equal(redacted(pattern, text), expected, pattern);
  }
});

test('what a pattern could take more than one pass for is refused, with the reason', () => {
  const cases: [pattern: string, why: RegExp][] = [
    ['(a+)+', /"\(" at 1/],
    ['a**', /"\*" at/],
    ['a+b', /before its end/],
    ['a{2,}b', /before its end/],
    ['[a-z]{1,9}b', /in two ways/],
    ['a?a', /in two ways/],
    ['a?b?a', /in two ways/],
    ['(?=a)', /"\("/],
    ['\\1', /"\\1"/],
    ['\\bfoo', /"\\b"/],
    ['^a', /"\^"/],
    ['a$', /"\$"/],
    ['', /is empty/],
    ['a|', /nothing at all/],
    ['a*', /nothing at all/],
    ['a{513}', /more than 512/],
    ['a{5,2}', /count/],
    ['a{0}', /count/],
    ['a{x}', /begins no count/],
    ['[z-a]', /range/],
    ['[a', /ends too early/],
    ['[]a]', /inside a set/],
    ['a\\', /ends too early/],
    ['\u00e9', /not printable ASCII/],
    ['a'.repeat(1025), /longer than 1024/],
  ];
  for (const [pattern, message] of cases)
    assert.throws(() => compilePattern(pattern), { code: 'bad_pattern', message }, pattern);
});

test('each built-in detector finds what its issuer makes, and nothing shorter', () => {
  const cases: Record<string, [found: string, passed: string]> = {
    sk_key: [`sk-${'a1_-'.repeat(4)}`, 'sk-a1_-'],
    github_token: [`ghp_${'A1'.repeat(18)}`, 'ghp_abc'],
    gitlab_token: [`glpat-${'a'.repeat(20)}`, 'glpat-a'],
    aws_access_key_id: [`AKIA${'A1'.repeat(8)}`, 'AKIAIOSFODNN'],
    google_api_key: [`AIza${'a'.repeat(35)}`, 'AIzaSy'],
    slack_token: ['xoxb-1234567890-a', 'xoxb-1'],
    npm_token: [`npm_${'a'.repeat(36)}`, 'npm_install'],
    stripe_key: [`sk_live_${'a'.repeat(16)}`, 'sk_test_a'],
    private_key: ['-----BEGIN EC PRIVATE KEY-----\nMHcC\nAQ==\n', '-----BEGIN CERTIFICATE-----\nMHcC'],
  };
  assert.deepEqual(Object.keys(cases), BUILT_IN_NAMES);
  for (const [name, [found, passed]] of Object.entries(cases)) {
    const index = new ScannerIndex([builtInDetector(name)]);
    const clean = (text: string): string => new Scanner(index).push(Buffer.from(text), true).toString();
    assert.equal(clean(`"${found}"`), '"[REDACTED]"', name);
    assert.equal(clean(`"${passed}"`), `"${passed}"`, name);
  }
});

test('an old encrypted private key is found with its header lines, also inside JSON', () => {
  const index = new ScannerIndex([builtInDetector('private_key')]);
  const key =
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\nabc+/=\n-----END RSA PRIVATE KEY-----';
  for (const text of [key, JSON.stringify(key)]) {
    const clean = new Scanner(index).push(Buffer.from(text), true).toString();
    assert.equal(clean.includes('abc'), false, clean);
  }
});
