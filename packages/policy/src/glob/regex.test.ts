import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlob, globMatches } from './glob.ts';
import { globRegex } from './regex.ts';

/** JavaScript spells RE2's `\x{61}` as `\u{61}`. */
const asJavaScript = (pattern: string): RegExp => new RegExp(pattern.replaceAll('\\x{', '\\u{'), 'u');

for (const [source, separator, pattern] of [
  ['/bin/a', '/', '^/bin/a$'],
  ['/bin/*', '/', '^/bin/[^/]*$'],
  ['/opt/**', '/', '^/opt/(?s:.)*$'],
  ['/a.b', '/', '^/a\\x{2e}b$'],
  ['/{a,b}', '/', '^(?:/a|/b)$'],
  ['[a-c]', 'none', '^[\\x{61}-\\x{63}]$'],
] as const) {
  test(`${source} is ${pattern}`, () => assert.equal(globRegex(compileGlob(source, separator)), pattern));
}

test('a pattern and its regular expression accept the same texts', () => {
  const part = fc.constantFrom(
    'a',
    'b',
    '.',
    '/',
    '*',
    '**',
    '?',
    '[a-b]',
    '[!a]',
    '{a,b*}',
    '\\*',
    '\u{1f600}',
    '\n',
    '$',
  );
  const patterns = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  const texts = fc.array(fc.constantFrom('a', 'b', '.', '/', '*', '\u{1f600}', '\n', '$'), { maxLength: 6 });
  fc.assert(
    fc.property(patterns, fc.constantFrom('/', '.', 'none'), texts, (source, separator, characters) => {
      const glob = compileGlob(source, separator);
      const text = characters.join('');
      assert.equal(asJavaScript(globRegex(glob)).test(text), globMatches(glob, text));
    }),
    { numRuns: 3000 },
  );
});
