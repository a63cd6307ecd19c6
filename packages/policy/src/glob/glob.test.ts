import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HOST_EXAMPLES, PATH_EXAMPLES, REFUSED_HOSTS, VALUE_EXAMPLES } from '../docs/pattern-examples.ts';
import { compileGlob, GLOB_LIMITS, globMatches, type Separator } from './glob.ts';
import { hostMatches, hostsOverlap, parseHostPattern } from './host-pattern.ts';
import { globsOverlap } from './overlap.ts';

describe('patterns', () => {
  for (const { pattern, separator, matches, refuses } of [...PATH_EXAMPLES, ...VALUE_EXAMPLES]) {
    test(`${pattern} in ${separator === 'none' ? 'values' : 'paths'}`, () => {
      const glob = compileGlob(pattern, separator);
      for (const text of matches) assert.ok(globMatches(glob, text), `should match ${text}`);
      for (const text of refuses) assert.ok(!globMatches(glob, text), `should not match ${text}`);
    });
  }

  const EDGES: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['', '', true],
    ['', 'a', false],
    ['/**/**/x', '/x', true],
    ['/**/**/x', '/a/b/x', true],
    ['/a**', '/a/b', true],
    ['/***', '/a/b', true],
    ['/*b*/c*', '/abb/cd', true],
    ['/*b/c', '/b/b/c', false],
    ['/**/*.js', '/a/b.c/d.js', true],
    ['/{a,{b,c}d}', '/cd', true],
    ['/{a,{b,c}d}', '/c', false],
    ['/{,a}b', '/b', true],
    ['/[]]', '/]', true],
    ['/[a{]', '/{', true],
    ['/[*]', '/*', true],
    ['/[*]', '/a', false],
    ['/[!/]', '//', false],
    ['/?', '/😀', true],
    ['/\\{a,b\\}', '/{a,b}', true],
    ['/usr/bin/*', '/usr/bin/.hidden', true],
  ];
  for (const [pattern, text, matches] of EDGES) {
    test(`${pattern} ${matches ? 'matches' : 'does not match'} ${text}`, () =>
      assert.equal(globMatches(compileGlob(pattern, '/'), text), matches));
  }

  for (const bad of [
    '/{a',
    '/a}',
    '/[a',
    '/[',
    '/[z-a]',
    '/a\\',
    '/[/]',
    '{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}',
    '/**/a/**/a/**/a/**/a/**/a/**/a/**/a',
    'a'.repeat(GLOB_LIMITS.length + 1),
  ]) {
    test(`${bad.slice(0, 40)} is refused with words`, () => {
      assert.throws(() => compileGlob(bad, '/'), { code: 'bad_glob', message: /^The pattern / });
    });
  }

  test('matching is never exponential', () => {
    const glob = compileGlob(`/${'*a'.repeat(30)}*b`, '/');
    assert.equal(globMatches(glob, `/${'a'.repeat(4000)}`), false);
    const wide = compileGlob(`/${'**a'.repeat(30)}**b`, '/');
    assert.equal(globMatches(wide, `/${'a'.repeat(4000)}`), false);
  });

  test('any text whatever compiles or is refused as bad_glob', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), pattern), fc.string(), (source, text) => {
        try {
          globMatches(compileGlob(source, '/'), text);
        } catch (thrown) {
          assert.equal((thrown as { code?: string }).code, 'bad_glob');
        }
      }),
    );
  });
});

const pattern = fc
  .array(fc.constantFrom('a', 'b', '/', '/', '.', '*', '**', '?', '/**/', '[ab]', '[!a]', '{a,b/}', '\\*'), {
    maxLength: 7,
  })
  .map((parts) => parts.join(''));
const text = fc
  .array(fc.constantFrom('a', 'b', '/', '.', '*'), { maxLength: 8 })
  .map((parts) => parts.join(''));
const separator = fc.constantFrom<Separator>('/', '.', 'none');

/** The dialect as its documentation says it, with recursion instead of cleverness. */
function reference(source: string, subject: string, mark: Separator): boolean {
  const separates = (char: string) => mark !== 'none' && char === mark;
  const rest = (length: number) => source.slice(length);
  if (source === '') return subject === '';
  if (source.startsWith('{a,b/}'))
    return reference(`a${rest(6)}`, subject, mark) || reference(`b/${rest(6)}`, subject, mark);
  if (mark === '/' && /^\/(\*\*\/)+/.test(source)) {
    const length = /^\/(\*\*\/)+/.exec(source)![0].length;
    if (!subject.startsWith('/')) return false;
    return [...subject].some(
      (char, index) => char === '/' && reference(rest(length), subject.slice(index + 1), mark),
    );
  }
  if (source.startsWith('*')) {
    const stars = /^\*+/.exec(source)![0].length;
    const next = rest(stars);
    for (let end = 0; end <= subject.length; end++) {
      if (end > 0 && stars === 1 && separates(subject[end - 1]!)) return false;
      if (reference(next, subject.slice(end), mark)) return true;
    }
    return false;
  }
  if (subject === '') return false;
  const one = (length: number, fits: boolean) => fits && reference(rest(length), subject.slice(1), mark);
  if (source.startsWith('?')) return one(1, !separates(subject[0]!));
  if (source.startsWith('[ab]')) return one(4, 'ab'.includes(subject[0]!));
  if (source.startsWith('[!a]')) return one(4, subject[0] !== 'a' && !separates(subject[0]!));
  if (source.startsWith('\\*')) return one(2, subject[0] === '*');
  return one(1, source[0] === subject[0]);
}

test('the matcher agrees with a naive reference', () => {
  fc.assert(
    fc.property(pattern, text, separator, (source, subject, mark) => {
      assert.equal(globMatches(compileGlob(source, mark), subject), reference(source, subject, mark));
    }),
    { numRuns: 3000 },
  );
});

/** Every text over a small alphabet up to a length. */
function textsUpTo(length: number, alphabet: readonly string[]): string[] {
  let last = [''];
  const all = [''];
  for (let round = 0; round < length; round++) {
    last = last.flatMap((head) => alphabet.map((char) => head + char));
    all.push(...last);
  }
  return all;
}

test('two patterns overlap exactly when some text is matched by both', () => {
  const small = fc
    .array(fc.constantFrom('a', 'b', '/', '*', '**', '?'), { maxLength: 4 })
    .map((parts) => parts.join(''));
  // A shortest shared text needs no more characters than the two patterns have; the alphabet is theirs and one more.
  const texts = textsUpTo(5, ['a', 'b', '/', 'c']);
  fc.assert(
    fc.property(small, small, (left, right) => {
      const [a, b] = [compileGlob(left, '/'), compileGlob(right, '/')];
      const shared = texts.some((one) => globMatches(a, one) && globMatches(b, one));
      const overlap = globsOverlap(a, b);
      if (shared) assert.ok(overlap, `${left} and ${right} share a text`);
      else if (left.length + right.length <= 5) assert.ok(!overlap, `${left} and ${right} share no text`);
    }),
    { numRuns: 400 },
  );
});

describe('host patterns', () => {
  for (const { pattern: source, matches, refuses } of HOST_EXAMPLES) {
    test(source, () => {
      const host = parseHostPattern(source);
      for (const one of matches) assert.ok(hostMatches(host, one), one);
      for (const one of refuses) assert.ok(!hostMatches(host, one), one);
    });
  }

  for (const source of REFUSED_HOSTS) {
    test(`${source} is refused`, () =>
      assert.throws(() => parseHostPattern(source), { code: /bad_host|tld_wildcard|bad_host_wildcard/ }));
  }

  for (const source of [
    '',
    'a b',
    'http://a.com',
    'a.com/x',
    'a.com:443',
    '*.exa mple.com',
    '*..com.x',
    '*.-a.com',
    `*.${'a'.repeat(64)}.com`,
  ]) {
    test(`${JSON.stringify(source.slice(0, 20))} is no host`, () =>
      assert.throws(() => parseHostPattern(source), { code: /^bad_host/ }));
  }

  test('middlewares may select whole top-level domains', () => {
    assert.ok(hostMatches(parseHostPattern('**', 'any'), 'a.example.com'));
    assert.ok(hostMatches(parseHostPattern('*.com', 'any'), 'example.com'));
    assert.ok(!hostMatches(parseHostPattern('*.com', 'any'), 'a.example.com'));
    assert.throws(() => parseHostPattern('*.1', 'any'), { code: 'bad_host_wildcard' });
  });

  test('wildcards never match addresses', () => {
    assert.ok(!hostMatches(parseHostPattern('**', 'any'), '10.0.0.1'));
    assert.ok(!hostMatches(parseHostPattern('**', 'any'), '2606::1'));
  });

  const OVERLAPS: readonly (readonly [string, string, boolean])[] = [
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', '**.example.com', true],
    ['*.example.com', '*.a.example.com', false],
    ['**.example.com', '*.a.example.com', true],
    ['a-*.example.com', '*-b.example.com', true],
    ['a-*.example.com', 'b-*.example.com', false],
    ['*.example.com', '*.example.org', false],
    ['a.example.com', 'A.example.com', true],
  ];
  for (const [left, right, overlap] of OVERLAPS) {
    test(`${left} and ${right} ${overlap ? 'overlap' : 'do not overlap'}`, () => {
      assert.equal(hostsOverlap(parseHostPattern(left), parseHostPattern(right)), overlap);
      assert.equal(hostsOverlap(parseHostPattern(right), parseHostPattern(left)), overlap);
    });
  }
});
