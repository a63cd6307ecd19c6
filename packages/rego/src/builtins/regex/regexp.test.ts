import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileRegexp } from './regexp.ts';

const free = { spend: (): void => {} };
const unlimited = { spender: free, maxLength: 1_000 };

const groupsOf = (pattern: string, text: string): readonly (readonly string[])[] =>
  [...compileRegexp(pattern).matches(text, Number.POSITIVE_INFINITY, free)].map(({ groups }) => groups);

describe('matching as RE2 does', () => {
  const cases: readonly (readonly [string, string, readonly (readonly string[])[]])[] = [
    ['a.', 'paranormal', [['ar'], ['an'], ['al']]],
    ['^a.', 'abacad', [['ab']]],
    ['a*', 'baaac', [[''], ['aaa'], ['']]],
    ['', 'ab', [[''], [''], ['']]],
    [
      '(|a)*',
      'aa',
      [
        ['', ''],
        ['', ''],
        ['', ''],
      ],
    ],
    ['(a|ab)(c|bcd)(d*)', 'abcd', [['abcd', 'a', 'bcd', '']]],
    [
      'a(x*)b',
      '-ab-axb-',
      [
        ['ab', ''],
        ['axb', 'x'],
      ],
    ],
    ['a+?', 'aa', [['a'], ['a']]],
    ['(?U)a+', 'aa', [['a'], ['a']]],
    ['(?m)^b$', 'a\nb\nc', [['b']]],
    ['^b$', 'a\nb\nc', []],
    ['(?i)straße', 'STRAßE', [['STRAßE']]],
    ['(?i)k', '\u212a', [['\u212a']]],
    ['(?i:a)b', 'Ab AB', [['Ab']]],
    ['\\bfoo\\b', 'a foo b', [['foo']]],
    ['\\p{Greek}+', 'abc αβγ', [['αβγ']]],
    ['\\PL+', 'a1b', [['1']]],
    ['[[:alpha:]]+', 'ab1', [['ab']]],
    ['[^\\d\\s]+', '1 ab', [['ab']]],
    ['[]a]+', 'a]b', [['a]']]],
    ['[a-]+', 'a-b', [['a-']]],
    ['\\Qa.b\\E+', 'a.bbb', [['a.bbb']]],
    ['x{,2}', 'x{,2}', [['x{,2}']]],
    ['a{2,3}', 'aaaaa', [['aaa'], ['aa']]],
    ['.', '😀x', [['😀'], ['x']]],
    ['\\x{1F600}', '😀', [['😀']]],
    ['(?P<year>\\d+)-(?<month>\\d+)', '2024-01', [['2024-01', '2024', '01']]],
  ];
  for (const [pattern, text, expected] of cases) {
    test(`${pattern} in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(groupsOf(pattern, text), expected);
      assert.equal(compileRegexp(pattern).test(text, free), expected.length > 0);
    });
  }
});

describe('patterns that are none', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['$^[[[', 'missing closing ]: `[[[`'],
    ['++', 'missing argument to repetition operator: `+`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['(a', 'missing closing ): `(a`'],
    ['a)', 'unexpected ): `a)`'],
    ['[z-a]', 'invalid character class range: `z-a`'],
    ['[[:foo:]]', 'invalid character class range: `[:foo:]`'],
    ['\\8', 'invalid escape sequence: `\\8`'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
    ['a\\', 'trailing backslash at end of expression: ``'],
    ['x{2,1}', 'invalid repeat count: `{2,1}`'],
    ['x{1001}', 'invalid repeat count: `{1001}`'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
  ];
  for (const [pattern, reason] of cases) {
    test(`${pattern} is refused: ${reason}`, () => {
      assert.throws(() => compileRegexp(pattern), { message: `error parsing regexp: ${reason}` });
    });
  }

  test('counts in counts and groups without end are refused before they are built', () => {
    assert.throws(() => compileRegexp('((a{100}){100}){100}'), { message: /invalid repeat count/ });
    assert.throws(() => compileRegexp('('.repeat(5_000) + ')'.repeat(5_000)), {
      message: /nests too deeply/,
    });
  });
});

describe('replacing and splitting', () => {
  test('templates name groups by number and by name', () => {
    const swap = compileRegexp('(?P<a>\\w)(\\w)');
    assert.equal(swap.replaceAll('xy', `$2$\{a}$$$3`, unlimited), 'yx$');
    assert.equal(compileRegexp('w(x*)y').replaceAll('-wy-wxxy-', '0', unlimited), '-0-0-');
    assert.equal(compileRegexp('a*').replaceAll('baac', 'x', unlimited), 'xbxcx');
  });

  test('splitting keeps what is between matches', () => {
    assert.deepEqual(compileRegexp('z+').split('pizza', free), ['pi', 'a']);
    assert.deepEqual(compileRegexp('^[a-z]+').split('foobar baz', free), ['', ' baz']);
    assert.deepEqual(compileRegexp('').split('abc', free), ['a', 'b', 'c']);
    assert.deepEqual(compileRegexp('x').split('', free), ['']);
  });
});

describe('bounds', () => {
  test('patterns that ruin backtracking engines take time linear in the text', () => {
    let steps = 0;
    const count = {
      spend: (taken: number): void => {
        steps += taken;
      },
    };
    const text = 'a'.repeat(20_000);
    assert.equal(compileRegexp('(a*)*b').test(text, count), false);
    assert.deepEqual([...compileRegexp('(a|aa)+$').matches(`${text}!`, 1, count)], []);
    assert.ok(steps < text.length, `${steps} steps`);
  });

  test('a replacement that grows beyond its limit is refused', () => {
    const whole = compileRegexp('.+');
    assert.throws(() => whole.replaceAll('x'.repeat(100), '$0'.repeat(100), unlimited), {
      message: /too long/,
    });
  });

  test('a search ends when its budget does', () => {
    const spender = {
      spend: (): void => {
        throw new RangeError('spent');
      },
    };
    const pattern = compileRegexp('(?:x?){500}x{500}');
    assert.throws(() => pattern.test('x'.repeat(5_000), spender), { message: 'spent' });
    assert.throws(() => [...pattern.matches('x'.repeat(5_000), 1, spender)], { message: 'spent' });
  });
});

test('simple patterns find what JavaScript finds', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a)', '(b|a)', '(?:ab)');
  const operator = fc.constantFrom('', '', '?', '{2}', '{1,2}', '+', '+?');
  const pattern = fc
    .array(fc.tuple(atom, operator), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.map(([one, suffix]) => one + suffix).join(''));
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }).map((chars) => chars.join(''));
  fc.assert(
    fc.property(pattern, text, (source, input) => {
      const expected = new RegExp(source).exec(input);
      const [found] = compileRegexp(source).matches(input, 1, free);
      assert.deepEqual(
        found?.groups,
        expected === null ? undefined : [...expected].map((group) => group ?? ''),
      );
      assert.equal(compileRegexp(source).test(input, free), expected !== null);
    }),
    { numRuns: 500 },
  );
});
