import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EncodedSearch } from './encoded.ts';
import { StreamSearch } from './guard.ts';

const SECRET = 'ghp_S3cret/value+~"\\%41';
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const hex = (char: string): string => char.charCodeAt(0).toString(16).padStart(2, '0');

/** Every writing that is found, as a function of the text. */
const WRITINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'percent-encoded': (text) => encodeURIComponent(text),
  'percent-encoded throughout, lower case': (text) => [...text].map((char) => `%${hex(char)}`).join(''),
  'percent-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'percent-encoded four times': (text) => [...text].map((char) => `%252525${hex(char)}`).join(''),
  'a JSON string': (text) => JSON.stringify(text),
  'JSON with escapes throughout': (text) => [...text].map((char) => `\\u00${hex(char)}`).join(''),
  'JSON with escaped slashes': (text) => JSON.stringify(text).replaceAll('/', '\\/'),
  'a form': (text) => new URLSearchParams({ a: text }).toString(),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 of a pair': (text) => Buffer.from(`user:${text}`).toString('base64'),
  'base64 further along': (text) => Buffer.from(`user1:${text}:x`).toString('base64'),
  base64url: (text) => Buffer.from(`ab${text}`).toString('base64url'),
};

describe('a text is found however it is written', () => {
  const search = new EncodedSearch([{ bytes: SECRET }]);
  for (const [name, write] of Object.entries(WRITINGS)) {
    test(name, () => {
      const text = `before ${write(SECRET)} after`;
      assert.equal(search.scan(text, 'final').hits.length, 1);
      assert.equal(search.test('before after'), false);
    });
  }
});

describe('and wherever a stream is cut', () => {
  const search = new EncodedSearch([{ bytes: SECRET }]);
  for (const [name, write] of Object.entries(WRITINGS)) {
    test(name, () => {
      const bytes = Buffer.from(`x ${write(SECRET)} y`, 'latin1');
      for (let cut = 0; cut <= bytes.length; cut++) {
        const stream = new StreamSearch(search, { kind: 'replace', with: () => '[*]' });
        const out = [bytes.subarray(0, cut), bytes.subarray(cut)].map((part) => stream.push(part)!);
        const text = Buffer.concat([...out, stream.end()!]).toString('latin1');
        assert.match(text, /^x .*\[\*\].* y$/s, `cut at ${cut}`);
        assert.equal(search.test(text), false, `cut at ${cut}`);
      }
    });
  }
});

test('byte by byte it is found as well', () => {
  const search = new EncodedSearch([{ bytes: SECRET }]);
  for (const write of Object.values(WRITINGS)) {
    const stream = new StreamSearch(search, { kind: 'replace', with: () => '[*]' });
    const out = [...Buffer.from(write(SECRET), 'latin1')].map((byte) => stream.push(Buffer.from([byte]))!);
    assert.match(Buffer.concat([...out, stream.end()!]).toString('latin1'), /\[\*\]/);
  }
});

test('what is not a needle comes through unchanged, however it is cut, and only its own beginning is held back', () => {
  const search = new EncodedSearch([{ bytes: 'needle-1' }, { bytes: 'other%value', anyCase: true }]);
  const alphabet = fc.constantFrom(
    'n',
    'ne',
    'needle-',
    'need',
    '%',
    '%6',
    '%6e',
    '\\',
    '\\u00',
    'other%',
    'z',
    '\n',
  );
  fc.assert(
    fc.property(
      fc.array(alphabet, { maxLength: 30 }),
      fc.array(fc.nat(20), { maxLength: 20 }),
      (parts, cuts) => {
        const text = parts.join('');
        const stream = new StreamSearch(search, { kind: 'replace', with: () => '!' });
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of cuts) {
          pieces.push(stream.push(Buffer.from(text.slice(at, at + size), 'latin1'))!);
          at = Math.min(text.length, at + size);
        }
        pieces.push(stream.push(Buffer.from(text.slice(at), 'latin1'))!, stream.end()!);
        const whole = search.scan(text, 'final');
        const out = Buffer.concat(pieces).toString('latin1');
        if (whole.hits.length === 0) assert.equal(out, text);
        else assert.equal(search.test(out), false);
      },
    ),
    { numRuns: 300 },
  );
  const stream = new StreamSearch(search, { kind: 'replace', with: () => '!' });
  assert.equal(stream.push(Buffer.from('data: hello\n\n'))?.toString(), 'data: hello\n\n');
  assert.equal(stream.push(Buffer.from('data: need'))?.toString(), 'data: ');
});

test('of values that begin alike the longest is taken, also when its end comes later', () => {
  const search = new EncodedSearch([{ bytes: 'token-12' }, { bytes: 'token-12-extended' }]);
  const names = ['short', 'long'];
  const run = (...parts: string[]): string => {
    const stream = new StreamSearch(search, { kind: 'replace', with: ({ needle }) => `<${names[needle]}>` });
    return Buffer.concat([...parts.map((part) => stream.push(Buffer.from(part))!), stream.end()!]).toString();
  };
  assert.equal(run('a token-12-extended b'), 'a <long> b');
  assert.equal(run('a token-12', '-extended b'), 'a <long> b');
  assert.equal(run('a token-12', '-other b'), 'a <short>-other b');
  assert.equal(run('a token-12'), 'a <short>');
});

test('a value beyond ASCII is found in UTF-8, percent-encoded and with JSON escapes', () => {
  const search = new EncodedSearch([{ bytes: latin1('pässwörd') }]);
  for (const text of [
    'pässwörd',
    encodeURIComponent('pässwörd'),
    'p\\u00e4ssw\\u00f6rd',
    'p\\u00E4ssw\\u00F6rd',
  ])
    assert.equal(search.test(latin1(text)), true, text);
});

test('a text full of beginnings takes time in proportion to its length only', () => {
  const search = new EncodedSearch([{ bytes: '%25'.repeat(20) }, { bytes: 'aaaaaaaaab' }]);
  assert.equal(search.test('%25'.repeat(20_000)), true);
  assert.equal(search.test('a'.repeat(60_000)), false);
});
