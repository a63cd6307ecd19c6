import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type LexicalState, tokenize } from './lexer.ts';

const STANDARD: LexicalState = { standardStrings: true, unicodeNames: true };

/** Tokens in short: words as they are, names in quotes, strings as '...', numbers as 0, parameters as $. */
const short = (text: string, state = STANDARD): string => {
  const result = tokenize(text, state);
  if (result.kind === 'malformed') return 'MALFORMED';
  const shown = result.tokens.map(({ kind, text: value }) => {
    if (kind === 'name') return `"${value}"`;
    if (kind === 'string') return `'${value}'`;
    return kind === 'number' ? '0' : kind === 'parameter' ? '$' : value;
  });
  return shown.join(' ');
};

describe('tokens are those of PostgreSQL', () => {
  const cases: [text: string, tokens: string][] = [
    ['SELECT Foo', 'select foo'],
    ['select "Foo""bar"', 'select "Foo"bar"'],
    ['a$b$c', 'a$b$c'],
    ['été', 'été'],
    ['a\u00a0b', 'a\u00a0b'],
    ['\tselect\r\n1\f;\v', 'select 0 ;'],
    // Comments.
    ['a -- b\nc', 'a c'],
    ['a -- b\rc', 'a c'],
    ['a -- b', 'a'],
    ['a /* b /* c */ d */ e', 'a e'],
    ['a/**/b', 'a b'],
    ['a /*/ b */ c', 'a c'],
    ['2*/*x*/3', '0 * 0'],
    ['1---1\n+2', '0 + 0'],
    ["'/*' a '*/'", "'/*' a '*/'"],
    ["'--' a", "'--' a"],
    ['"--" a', '"--" a'],
    ['a /* b', 'MALFORMED'],
    ['a /* /* */ b', 'MALFORMED'],
    // Strings.
    ["'a''b'", "'a'b'"],
    ["'\\' x", "'\\' x"],
    ["'\\'';'", "'\\';'"],
    ["e'\\'' x", "'\\'' x"],
    ["E'\\\\' x", "'\\\\' x"],
    ["e '\\' x", "e '\\' x"],
    ["xe'\\' x", "xe '\\' x"],
    ["'a'\n'b'", "'ab'"],
    ["'a' -- c\n 'b'", "'ab'"],
    ["e'a'\n'\\'' x", "'a\\'' x"],
    ["'a'\n'\\' x", "'a\\' x"],
    ["'a' 'b'", 'MALFORMED'],
    ["'a", 'MALFORMED'],
    ["e'a\\'", 'MALFORMED'],
    ["b'01' x'ff' n'z'", "'01' 'ff' 'z'"],
    // Dollar quotes.
    ["$$a'b$$ c", "'a'b' c"],
    ['$a$ $$ $b$ $a$ c', "' $$ $b$ ' c"],
    ['$a$x$A$y$a$', "'x$A$y'"],
    ['a$$ b $$', 'MALFORMED'],
    ['$1$ x', 'MALFORMED'],
    ['$$ a', 'MALFORMED'],
    ['$1 $23', '$ $'],
    ['$1a', 'MALFORMED'],
    ['$', 'MALFORMED'],
    // Unicode.
    ['U&"d\\0061t\\+000061"', '"data"'],
    ['u&"d!0061ta" uescape \'!\'', '"data"'],
    ['u & "x"', 'u & "x"'],
    ['u&"\\D83D\\DE00"', '"😀"'],
    ['u&"\\D83D"', 'MALFORMED'],
    ['u&"\\00zz"', 'MALFORMED'],
    ['u&"\\0000"', 'MALFORMED'],
    ['u&"d!0061ta" /* x */ uescape \'!\'', 'MALFORMED'],
    ['u&"a" uescape \'+\'', 'MALFORMED'],
    // Numbers.
    ['1 1.5 .5 1e5 1.e-5 0x1F 1_000', '0 0 0 0 0 0 0'],
    ['1from', 'MALFORMED'],
    ['1efoo', 'MALFORMED'],
    // The rest.
    ['a::b[1]', 'a : : b [ 0 ]'],
    ['a\0b', 'MALFORMED'],
    ['a \\ b', 'MALFORMED'],
    ['a { b', 'MALFORMED'],
    ['""', 'MALFORMED'],
    ['"a', 'MALFORMED'],
    [`"${'x'.repeat(70)}"`, `"${'x'.repeat(63)}"`],
    ['x'.repeat(70), 'x'.repeat(63)],
    [`${'x'.repeat(62)}é`, 'x'.repeat(62)],
  ];
  for (const [text, tokens] of cases) {
    test(JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text), () =>
      assert.equal(short(text), tokens),
    );
  }
});

describe('what depends on the state of the connection', () => {
  const uncertain = { ...STANDARD, standardStrings: false };
  test('a backslash in a plain string is refused while it may be an escape', () => {
    assert.equal(short("'a\\b'", uncertain), 'MALFORMED');
    assert.equal(short("E'a\\b'", uncertain), "'a\\b'");
    assert.equal(short("'ab'", uncertain), "'ab'");
    assert.equal(short("u&'ab'", uncertain), 'MALFORMED');
  });
  test('names that are not ASCII are refused in an encoding that is not UTF-8', () => {
    const foreign = { ...STANDARD, unicodeNames: false };
    assert.equal(short('"\u00e9"', foreign), 'MALFORMED');
    assert.equal(short('\u00e9', foreign), 'MALFORMED');
    assert.equal(short("'\u00e9' a", foreign), "'\u00e9' a");
  });
});

test('never throws, and a comment or a string hides nothing but itself', () => {
  const piece = fc.constantFrom(
    "'",
    '"',
    '$$',
    '$a$',
    '/*',
    '*/',
    '--',
    '\n',
    '\\',
    'E',
    'U&',
    ' ',
    'x',
    ';',
    '1',
    'é',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const alone = tokenize(text, STANDARD);
      if (alone.kind === 'malformed') return;
      const more = tokenize(`${text}\n;drop`, STANDARD);
      // What is complete stays complete, whatever follows on the next line.
      assert.ok(more.kind === 'tokens');
      assert.deepEqual(more.tokens.slice(-2), [
        { kind: 'symbol', text: ';' },
        { kind: 'word', text: 'drop' },
      ]);
    }),
    { numRuns: 2000 },
  );
});
