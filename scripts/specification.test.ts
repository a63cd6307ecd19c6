import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(`${root}/SPECIFICATION.md`, 'utf8');

interface NamedTest {
  readonly file: string;
  readonly title: string;
}

interface Promised {
  readonly number: number;
  readonly text: string;
  readonly tests: readonly NamedTest[];
}

/** A test, or one of the suite that every form of a contract has to pass. */
const NAMED_TEST = /`([^`]+(?:\.test|-contract)\.ts)` › "([^"]+)"/g;

const promises: readonly Promised[] = text
  .split(/\n(?=- \*\*P|## )/)
  .filter((part) => part.startsWith('- **P'))
  .map((part) => ({
    number: Number(/^- \*\*P(\d+)\*\*/.exec(part)?.[1]),
    text: part,
    tests: [...part.matchAll(NAMED_TEST)].map(([, file = '', title = '']) => ({ file, title })),
  }));

test('promises are numbered one after another', () => {
  assert.ok(promises.length > 0);
  assert.deepEqual(
    promises.map(({ number }) => number),
    promises.map((_, index) => index + 1),
  );
});

describe('a promise names tests that exist, or says that one is missing', () => {
  for (const { number, text: words, tests } of promises) {
    test(`P${number}`, () => {
      assert.ok(tests.length > 0 || words.includes('Test missing'), 'neither a test nor "Test missing"');
      for (const { file, title } of tests) {
        assert.ok(existsSync(`${root}/${file}`), `${file} does not exist`);
        const source = readFileSync(`${root}/${file}`, 'utf8');
        assert.ok(source.includes(title), `${file} has no test whose title has "${title}"`);
      }
    });
  }
});
